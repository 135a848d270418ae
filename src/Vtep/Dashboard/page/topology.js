// The drawing: bridge domains with their ports on the left, this VTEP in the middle, the other VTEPs on the right. A line is as thick as the traffic
// on it (logarithmic), dashed while there is none. The dots at a peer are the domains it is a member of, in their colours; pointing at a
// domain or a peer leaves only what belongs to it. Of many, the busiest are drawn and the rest is a number: the tables have them all.
//
// Nodes stay the same elements from second to second, so that focus and pointer stay where they are; the drawing is made anew only when what it
// consists of changes, or its width.

import { element, shape, say, scaled, many, shown } from "./text.js";

const mostDomains = 8, mostPeers = 12, mostDots = 8;
const row = { domain: 58, peer: 36 };

export class Topology {
  #place; #colorOf; #onChoose;
  #signature = "";
  #domains = new Map();
  #peers = new Map();

  /** onChoose is called with a search for the FDB when somebody chooses a node. */
  constructor(place, colorOf, onChoose) {
    [this.#place, this.#colorOf, this.#onChoose] = [place, colorOf, onChoose];
  }

  draw(state, rates) {
    const domains = first(state.domains, mostDomains, one => one.atPorts.rxFrames + one.atPorts.txFrames);
    const peers = first(state.peers, mostPeers, one => one.txFrames + one.rxFrames);
    const width = this.#place.clientWidth;
    const signature = JSON.stringify([width, state.status.local, state.status.bridgeDomains, state.status.peers,
      domains.map(one => [one.domain.vni, one.domain.name, one.domain.discovery, one.domain.group, one.atPorts.count]),
      peers.map(one => [one.endpoint, one.kind, one.vnis])]);
    if (signature !== this.#signature) {
      this.#signature = signature;
      this.#build(state, domains, peers, width);
    }
    for (const one of domains)
      this.#updateDomain(one, rates);
    for (const one of peers)
      this.#updatePeer(one, rates);
  }

  #build(state, domains, peers, width) {
    const isNarrow = width < 620;
    const side = Math.min(250, Math.max(112, width * (isNarrow ? 0.37 : 0.3)));
    const rows = { left: domains.length * row.domain + more(state.status.bridgeDomains, domains), right: peers.length * row.peer + more(state.status.peers, peers) };
    const height = Math.max(rows.left, rows.right, 110) + 16;
    const hub = { width: isNarrow ? 64 : 156, height: isNarrow ? 54 : 66, x: width / 2, y: height / 2 };
    const lines = shape("g"), nodes = shape("g");
    this.#domains.clear();
    this.#peers.clear();
    domains.forEach((one, i) => this.#addDomain(one, { x: 1, y: (height - rows.left) / 2 + i * row.domain, width: side, height: row.domain - 8 }, hub, lines, nodes, isNarrow));
    peers.forEach((one, i) => this.#addPeer(one, { x: width - side - 1, y: (height - rows.right) / 2 + i * row.peer, width: side, height: row.peer - 6 }, hub, lines, nodes, isNarrow));
    addMore(nodes, state.status.bridgeDomains - domains.length, "domain", 10, (height + rows.left) / 2 - 8, "start");
    addMore(nodes, state.status.peers - peers.length, "peer", width - 10, (height + rows.right) / 2 - 8, "end");
    nodes.append(hubNode(hub, state, isNarrow));
    const label = `This VTEP with ${many(state.status.bridgeDomains, "bridge domain")} and ${many(state.status.peers, "peer")}; the tables below say the same.`;
    this.#place.replaceChildren(shape("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-label": label }, lines, nodes));
  }

  #addDomain(one, box, hub, lines, nodes, isNarrow) {
    const { name, vni, discovery, group } = one.domain;
    const color = this.#colorOf(vni);
    const line = curve([box.x + box.width, box.y + box.height / 2], [hub.x - hub.width / 2, hub.y], color);
    const rate = shape("text", { class: "small", x: box.x + 14, y: box.y + 43 });
    const facts = `VNI ${vni}` + (isNarrow ? "" : ` · ${group ? "group " + group : discovery} · ${many(one.atPorts.count, "port")}`);
    const node = this.#node("domain " + color, `Domain ${name}, VNI ${vni}, ${many(one.atPorts.count, "port")}: find its stations`, "vni:" + vni, box,
      shape("rect", { class: "stripe", x: box.x, y: box.y, width: 5, height: box.height, rx: 2.5 }),
      shape("text", { class: "name", x: box.x + 14, y: box.y + 16 }, fit(name, box.width - 24, 7.4)),
      shape("text", { class: "small", x: box.x + 14, y: box.y + 30 }, fit(facts, box.width - 18, 5.9)), rate);
    lines.append(line);
    nodes.append(node);
    this.#domains.set(vni, { line, node, rate });
    this.#highlight(node, () => ({ domains: [vni], peers: [...this.#peers].filter(([, peer]) => peer.vnis.includes(vni)).map(([endpoint]) => endpoint) }));
  }

  #addPeer(one, box, hub, lines, nodes, isNarrow) {
    const line = curve([hub.x + hub.width / 2, hub.y], [box.x, box.y + box.height / 2], "plain");
    const rate = shape("text", { class: "small", x: box.x + box.width - 8, y: box.y + 19, "text-anchor": "end" });
    const dots = one.vnis.slice(0, mostDots).map((vni, i) =>
      shape("circle", { class: "dot " + this.#colorOf(vni), cx: box.x + 24 + i * 8, cy: box.y + box.height - 7, r: 3 }));
    const beyond = one.vnis.length > mostDots ? shape("text", { class: "tiny", x: box.x + 22 + mostDots * 8, y: box.y + box.height - 4 }, "+" + (one.vnis.length - mostDots)) : null;
    const status = shape("circle", { class: "status", cx: box.x + 11, cy: box.y + box.height / 2, r: 4 });
    const node = this.#node("peer", `Peer ${one.endpoint}, member of ${many(one.vnis.length, "domain")}: find the stations behind it`, "vtep:" + one.endpoint, box,
      status, shape("text", { class: "name", x: box.x + 22, y: box.y + 13 }, fit(withoutPort(one.endpoint), box.width - (isNarrow ? 26 : 90), 6.9)), ...dots, beyond, isNarrow ? null : rate);
    lines.append(line);
    nodes.append(node);
    this.#peers.set(one.endpoint, { line, node, rate, status, vnis: one.vnis });
    this.#highlight(node, () => ({ domains: one.vnis, peers: [one.endpoint] }));
  }

  #node(kind, label, search, box, ...parts) {
    const choose = () => this.#onChoose(search);
    return shape("g", { class: "node " + kind, role: "button", tabindex: 0, click: choose, // its name is its title
      keydown: event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } } },
    shape("title", {}, label), shape("rect", { class: "box", x: box.x, y: box.y, width: box.width, height: box.height, rx: 7 }), ...parts);
  }

  #highlight(node, members) {
    const show = () => {
      const { domains, peers } = members();
      for (const [all, chosen] of [[this.#domains, domains], [this.#peers, peers]]) {
        for (const [key, one] of all) {
          one.node.classList.toggle("dim", !chosen.includes(key));
          one.line.classList.toggle("dim", !chosen.includes(key));
        }
      }
    };
    const clear = () => this.#place.querySelectorAll(".dim").forEach(one => one.classList.remove("dim"));
    node.addEventListener("pointerenter", show);
    node.addEventListener("focus", show);
    node.addEventListener("pointerleave", clear);
    node.addEventListener("blur", clear);
  }

  #updateDomain(one, rates) {
    const { line, node, rate } = this.#domains.get(one.domain.vni);
    const bits = rates.bits.get(one.domain.vni) ?? 0;
    weigh(line, bits);
    node.classList.toggle("bad", one.atPorts.up < one.atPorts.count);
    say(rate, scaled(bits, "bit/s") + (one.atPorts.up < one.atPorts.count ? ` · ${one.atPorts.up} of ${one.atPorts.count} up` : ""));
  }

  #updatePeer(one, rates) {
    const { line, rate, status } = this.#peers.get(one.endpoint);
    const bits = rates.peerBits.get(one.endpoint) ?? 0;
    weigh(line, bits);
    say(rate, scaled(bits, "bit/s"));
    status.setAttribute("class", "status " + peerHealth(one));
  }
}

/** "good": heard of within a minute; "bad": can't be sent to; "idle" otherwise. */
export const peerHealth = peer => peer.state !== "ok" ? "bad" : peer.idleSeconds !== null && peer.idleSeconds < 60 ? "good" : "idle";

function hubNode(hub, state, isNarrow) {
  const [left, top] = [hub.x - hub.width / 2, hub.y - hub.height / 2];
  const middle = { x: hub.x, "text-anchor": "middle" };
  return shape("g", { class: "hub" }, shape("rect", { x: left, y: top, width: hub.width, height: hub.height, rx: 10 }),
    shape("text", { ...middle, class: "small", y: top + (isNarrow ? 18 : 20) }, isNarrow ? "this" : "this VTEP"),
    shape("text", { ...middle, class: "name", y: top + (isNarrow ? 33 : 39) }, isNarrow ? "VTEP" : fit(state.status.local ?? "no address", hub.width - 12, 8)),
    isNarrow ? null : shape("text", { ...middle, class: "small", y: top + 55 }, "UDP " + state.status.port));
}

function curve([x1, y1], [x2, y2], color) {
  const bend = (x2 - x1) / 2;
  return shape("path", { class: "link " + color, d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
}

function weigh(line, bits) {
  const share = bits > 0 ? Math.min(1, Math.max(0.05, (Math.log10(bits) - 3) / 7)) : 0;
  line.setAttribute("stroke-width", (1.5 + 6 * share).toFixed(1));
  line.classList.toggle("idle", bits === 0);
}

// A part of all that stays the same as long as the busiest do, in the order of all.
function first(all, most, traffic) {
  if (all.length <= most)
    return all;
  const chosen = new Set([...all].sort((one, two) => traffic(two) - traffic(one)).slice(0, most));
  return all.filter(one => chosen.has(one));
}

const more = (total, drawn) => total > drawn.length ? 24 : 0;

function addMore(nodes, count, what, x, y, anchor) {
  if (count > 0)
    nodes.append(shape("text", { class: "small", x, y, "text-anchor": anchor }, `and ${many(count, "more " + what)}`));
}

// Text cut to a width, by the mean width of a character: what is whole stands in the node's title.
function fit(text, width, perCharacter) {
  const room = Math.max(4, Math.floor(width / perCharacter));
  const whole = shown(text);
  return whole.length <= room ? whole : whole.slice(0, room - 1) + "…";
}

const withoutPort = endpoint => endpoint.replace(/:4789$/, "");
