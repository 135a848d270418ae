// What was told in the last five minutes, as rates. The daemon tells counters and a clock of its own; a rate is the difference of two answers by the
// difference of their times, so an answer that comes late, or is the same again, does no harm. Where answers are missing (a hidden page, a
// daemon that was away) there is no rate, and plots have a gap. Another run of the daemon counts anew: history is forgotten then.

const span = 5 * 60 * 1000;
const longestStep = 5000; // beyond that a mean says nothing about a second

export class History {
  #last = null;
  #start = null;

  /** Points in time (the daemon's milliseconds), each with rates by series: { at, bits, frames, drops }, Maps by key. */
  points = [];

  /** The rates of the last point by domain, port, peer and reason. */
  now = emptyRates();

  /** Takes an answer; false when it is no news. */
  take(state) {
    if (state.start !== this.#start) {
      this.points = [];
      this.#last = null;
      this.#start = state.start;
    }
    const milliseconds = this.#last ? state.atMilliseconds - this.#last.atMilliseconds : 0;
    if (this.#last && milliseconds <= 0)
      return false;
    if (this.#last) {
      const isGap = milliseconds > Math.max(longestStep, 3 * this.#last.nextMilliseconds);
      this.now = ratesBetween(this.#last, state, milliseconds / 1000);
      if (isGap)
        this.points.push({ at: this.#last.atMilliseconds + 1, gap: true });
      this.points.push({ at: state.atMilliseconds, ...this.now });
    }
    this.#last = state;
    this.points = this.points.filter(point => point.at >= state.atMilliseconds - span);
    return true;
  }

  /** The time of the last answer, and that five minutes before. */
  get range() {
    const end = this.#last?.atMilliseconds ?? 0;
    return [end - span, end];
  }
}

function emptyRates() {
  return { bits: new Map(), frames: new Map(), drops: new Map(), rx: new Map(), tx: new Map(), toUnderlay: new Map(), fromUnderlay: new Map(), domainDrops: new Map(),
    peerTx: new Map(), peerRx: new Map(), peerBits: new Map(), portRx: new Map(), portTx: new Map(), totals: { bits: 0, frames: 0, drops: 0 } };
}

function ratesBetween(before, after, seconds) {
  const rates = emptyRates();
  const rate = (next, old) => Math.max(0, (next - old) / seconds);
  rates.totals.bits = rate(bytes(after.atPorts), bytes(before.atPorts)) * 8;
  rates.totals.frames = rate(frames(after.atPorts), frames(before.atPorts));
  rates.totals.drops = rate(sum(after.counters.drops), sum(before.counters.drops));
  for (const [reason, count] of Object.entries(after.counters.drops))
    rates.drops.set(reason, rate(count, before.counters.drops[reason] ?? 0));
  pairs(before.domains, after.domains, one => one.domain.vni, (vni, old, next) => {
    rates.bits.set(vni, rate(bytes(next.atPorts), bytes(old.atPorts)) * 8);
    rates.frames.set(vni, rate(frames(next.atPorts), frames(old.atPorts)));
    rates.rx.set(vni, rate(next.atPorts.rxFrames, old.atPorts.rxFrames));
    rates.tx.set(vni, rate(next.atPorts.txFrames, old.atPorts.txFrames));
    rates.toUnderlay.set(vni, rate(next.domain.toUnderlay, old.domain.toUnderlay));
    rates.fromUnderlay.set(vni, rate(next.domain.fromUnderlay, old.domain.fromUnderlay));
    rates.domainDrops.set(vni, rate(sum(next.domain.drops), sum(old.domain.drops)));
  });
  pairs(before.peers, after.peers, one => one.endpoint, (endpoint, old, next) => {
    rates.peerTx.set(endpoint, rate(next.txBytes, old.txBytes) * 8);
    rates.peerRx.set(endpoint, rate(next.rxBytes, old.rxBytes) * 8);
    rates.peerBits.set(endpoint, rates.peerTx.get(endpoint) + rates.peerRx.get(endpoint));
  });
  pairs(before.ports, after.ports, one => one.name, (name, old, next) => {
    rates.portRx.set(name, rate(next.rxBytes, old.rxBytes) * 8);
    rates.portTx.set(name, rate(next.txBytes, old.txBytes) * 8);
  });
  return rates;
}

function pairs(before, after, keyOf, use) {
  const old = new Map(before.map(one => [keyOf(one), one]));
  for (const next of after) {
    const key = keyOf(next);
    if (old.has(key))
      use(key, old.get(key), next);
  }
}

const bytes = traffic => traffic.rxBytes + traffic.txBytes;
const frames = traffic => traffic.rxFrames + traffic.txFrames;
export const sum = counts => Object.values(counts).reduce((total, count) => total + count, 0);
