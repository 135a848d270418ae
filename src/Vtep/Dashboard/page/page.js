// The page: asks the daemon, remembers rates, and has every section drawn.
//
// One question a second (or as seldom as the daemon says), none while the page is hidden; the FDB is asked for only while its section is in sight,
// and when somebody searches. A daemon that doesn't answer is said in words, with the time of what is still shown.

import { History, sum } from "./history.js";
import { Plot } from "./plot.js";
import { Topology, peerHealth } from "./topology.js";
import { Table } from "./tables.js";
import { at, element, say, scaled, counted, many, lasting } from "./text.js";

const patience = 4000; // milliseconds to an answer
const retry = 2000;
const fdbInterval = 5000;
const typingPause = 250;
const colors = 8;

const history = new History();
let reasons = {};
let state = null;
let answeredAt = null;

// --- colours: a domain has one for as long as the page is open, drop reasons theirs

const given = { domain: new Map(), reason: new Map() };

function colorOf(kind, key) {
  if (!given[kind].has(key))
    given[kind].set(key, "c" + given[kind].size % colors);
  return given[kind].get(key);
}

const domainColor = vni => colorOf("domain", vni);
const nameOfDomain = vni => state?.domains.find(one => one.domain.vni === vni)?.domain.name ?? "VNI " + vni;

// --- sections

const plots = [
  ["bits", new Plot(at("plot-bits"), "Bits per second", "bit/s", domainColor, nameOfDomain)],
  ["frames", new Plot(at("plot-frames"), "Frames per second", "/s", domainColor, nameOfDomain)],
  ["drops", new Plot(at("plot-drops"), "Drops per second", "/s", reason => colorOf("reason", reason), reason => reason)],
];

const topology = new Topology(at("topology"), domainColor, search);
const rateOf = (field, key) => history.now[field].get(key) ?? 0;

const domains = new Table(at("domains"), "Bridge domains, with rates", [
  { label: "Domain", text: one => one.domain.name },
  { label: "VNI", isNumber: true, text: one => String(one.domain.vni), choose: one => search("vni:" + one.domain.vni) },
  { label: "Discovery", text: one => one.domain.group ? "multicast " + one.domain.group : one.domain.discovery },
  { label: "Ports up", isNumber: true, text: one => `${one.atPorts.up} of ${one.atPorts.count}`, tone: one => one.atPorts.up < one.atPorts.count ? "bad" : "" },
  { label: "Stations", isNumber: true, text: one => counted(one.domain.fdbEntries) },
  { label: "MTU", isNumber: true, text: one => one.domain.mtu > 0 ? String(one.domain.mtu) : "–" },
  { label: "At ports", isNumber: true, text: one => scaled(rateOf("bits", one.domain.vni), "bit/s") },
  { label: "From ports", isNumber: true, text: one => scaled(rateOf("rx", one.domain.vni), "/s") },
  { label: "To ports", isNumber: true, text: one => scaled(rateOf("tx", one.domain.vni), "/s") },
  { label: "To peers", isNumber: true, text: one => scaled(rateOf("toUnderlay", one.domain.vni), "/s") },
  { label: "From peers", isNumber: true, text: one => scaled(rateOf("fromUnderlay", one.domain.vni), "/s") },
  { label: "Drops", isNumber: true, text: one => counted(sum(one.domain.drops)), tone: one => rateOf("domainDrops", one.domain.vni) > 0 ? "warn" : "" },
], one => one.domain.vni, "There is no bridge domain.");

const peers = new Table(at("peers"), "Other VTEPs, with rates", [
  { label: "Peer", text: one => one.endpoint, choose: one => search("vtep:" + one.endpoint) },
  { label: "Kind", text: one => one.kind },
  { label: "Path", text: one => one.state === "ok" ? "ok" : one.state, tone: one => one.state === "ok" ? "" : "bad" },
  { label: "Path MTU", isNumber: true, text: one => one.pathMtu > 0 ? String(one.pathMtu) : "–" },
  { label: "Heard", isNumber: true, text: one => one.idleSeconds === null ? "never" : lasting(one.idleSeconds) + " ago", tone: peerHealth },
  { label: "Domains", isNumber: true, text: one => String(one.vnis.length) },
  { label: "To it", isNumber: true, text: one => scaled(rateOf("peerTx", one.endpoint), "bit/s") },
  { label: "From it", isNumber: true, text: one => scaled(rateOf("peerRx", one.endpoint), "bit/s") },
  { label: "Frames to", isNumber: true, text: one => counted(one.txFrames) },
  { label: "Frames from", isNumber: true, text: one => counted(one.rxFrames) },
], one => one.endpoint, "There is no other VTEP yet.");

const ports = new Table(at("ports"), "Access ports, with rates", [
  { label: "Port", text: one => one.name, choose: one => search("port:" + one.name) },
  { label: "Domain", text: one => nameOfDomain(one.vni) },
  { label: "State", text: one => one.up ? "up" : "down", tone: one => one.up ? "good" : "bad" },
  { label: "MAC", text: one => one.mac },
  { label: "MTU", isNumber: true, text: one => String(one.mtu) },
  { label: "From it", isNumber: true, text: one => scaled(rateOf("portRx", one.name), "bit/s") },
  { label: "To it", isNumber: true, text: one => scaled(rateOf("portTx", one.name), "bit/s") },
  { label: "Frames from", isNumber: true, text: one => counted(one.rxFrames) },
  { label: "Frames to", isNumber: true, text: one => counted(one.txFrames) },
  { label: "Drops", isNumber: true, text: one => counted(sum(one.drops)) },
], one => one.name, "There is no port.");

const drops = new Table(at("drops"), "Frames dropped, by reason", [
  { label: "Reason", text: one => one.reason },
  { label: "Frames", isNumber: true, text: one => counted(one.count) },
  { label: "Now", isNumber: true, text: one => scaled(one.rate, "/s"), tone: one => one.rate > 0 ? "warn" : "" },
  { label: "What it means", text: one => reasons[one.reason] ?? "" },
], one => one.reason, "Nothing was dropped.");

const fdb = new Table(at("fdb"), "Stations and where they are", [
  { label: "MAC", text: one => one.mac },
  { label: "VNI", isNumber: true, text: one => String(one.vni) },
  { label: "Domain", text: one => nameOfDomain(one.vni) },
  { label: "Kind", text: one => one.kind },
  { label: "Behind", text: one => one.port ?? one.vtep ?? "" },
  { label: "Last frame", isNumber: true, text: one => one.kind === "static" ? "–" : lasting(one.ageSeconds) + " ago" },
], one => one.vni + " " + one.mac, "Not asked for yet.");

function draw() {
  const isNews = history.take(state);
  drawHeader();
  topology.draw(state, history.now);
  for (const [field, plot] of plots)
    plot.draw(history.points, history.range, field, history.now.totals[field]);
  domains.show(state.domains);
  peers.show(state.peers);
  ports.show(state.ports);
  drops.show(Object.entries(state.counters.drops).map(([reason, count]) => ({ reason, count, rate: rateOf("drops", reason) }))
    .sort((one, two) => two.count - one.count));
  say(at("domains-note"), partly(state.domains.length, state.status.bridgeDomains));
  say(at("peers-note"), partly(state.peers.length, state.status.peers));
  say(at("ports-note"), partly(state.ports.length, state.status.ports));
  say(at("drops-note"), `${counted(sum(state.counters.drops))} of ${counted(state.counters.received)} frames received, since the start`);
  say(at("topology-note"), "choose a domain or a peer to find its stations");
  return isNews;
}

function drawHeader() {
  const { status } = state;
  document.title = `vtep ${status.local ?? ""}`;
  say(at("local"), status.local ? `${status.local.includes(":") ? `[${status.local}]` : status.local}:${status.port}` : "no VTEP address");
  const warnings = [state.stall, ...status.warnings].filter(one => one);
  const isBad = state.stall !== null || !status.localAddressPresent;
  tone(at("health"), isBad ? "bad" : warnings.length > 0 ? "warn" : "good", isBad ? "stands still" : warnings.length > 0 ? many(warnings.length, "warning") : "healthy");
  list(at("warnings"), warnings);
  const facts = [["Up", lasting(state.uptimeSeconds)], ["Lanes", status.workers], ["Domains", counted(status.bridgeDomains)], ["Ports", counted(status.ports)],
    ["Peers", counted(status.peers)], ["Stations", `${counted(status.fdbEntries)} of ${counted(status.fdbCapacity)}`],
    ...status.controllers.map(one => ["Controller " + one.name, one.state])];
  const names = facts.map(([name]) => name).join("\n");
  if (at("facts").dataset.names !== names) {
    at("facts").dataset.names = names;
    at("facts").replaceChildren(...facts.map(([name]) => element("div", {}, element("dt", {}, name), element("dd"))));
  }
  [...at("facts").children].forEach((fact, i) => say(fact.lastChild, facts[i][1]));
  say(at("foot"), `vtep ${state.version} · asked every ${scaled(state.nextMilliseconds / 1000)} s while this page is in sight`);
}

const partly = (told, total) => told < total ? `the ${counted(told)} with the most traffic, of ${counted(total)}` : "";

function tone(target, name, text) {
  target.className = "badge " + name;
  say(target, text);
}

function list(target, sentences) {
  target.hidden = sentences.length === 0;
  if (target.dataset.said === sentences.join("\n"))
    return;
  target.dataset.said = sentences.join("\n");
  target.replaceChildren(...sentences.map(sentence => element("li", {}, sentence)));
}

// --- asking

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(patience) });
  if (!answer.ok)
    throw new Error(`it answers ${answer.status}`);
  return answer;
}

let timer = null;
let isAsking = false;

async function round() {
  if (isAsking || document.hidden)
    return;
  isAsking = true;
  clearTimeout(timer);
  let wait = retry;
  const begin = performance.now();
  try {
    if (Object.keys(reasons).length === 0)
      reasons = await (await ask("/dashboard/reasons")).json();
    const isFirst = state === null;
    state = await (await ask("/dashboard/state")).json();
    answeredAt = new Date();
    wait = Math.max(100, state.nextMilliseconds - (performance.now() - begin));
    at("silence").hidden = true;
    document.body.classList.remove("stale");
    draw();
    if (isFirst && isFdbInSight)
      askFdb();
  } catch (error) {
    tellSilence(error);
  }
  isAsking = false;
  timer = setTimeout(round, wait);
}

function tellSilence(error) {
  const why = error.name === "TimeoutError" ? `nothing for ${patience / 1000} s` : error.name === "TypeError" ? "no connection" : error.message;
  const since = answeredAt ? ` What is shown is of ${answeredAt.toLocaleTimeString()}.` : "";
  say(at("silence"), `The daemon doesn't answer (${why}).${since} Asking again every ${retry / 1000} s; see 'systemctl status vtep' on its host.`);
  at("silence").hidden = false;
  document.body.classList.toggle("stale", answeredAt !== null);
  tone(at("health"), "bad", "no answer");
}

// --- the FDB

let fdbTimer = null;
let fdbRound = 0;
let isFdbInSight = false;

async function askFdb() {
  clearTimeout(fdbTimer);
  if (document.hidden || !state)
    return;
  const mine = ++fdbRound;
  const words = at("fdb-find").value.trim();
  let wait = fdbInterval;
  try {
    const answer = await ask("/dashboard/fdb?find=" + encodeURIComponent(words));
    const page = await answer.json();
    wait = Math.max(fdbInterval, Number(answer.headers.get("Vtep-Next")));
    if (mine === fdbRound)
      showFdb(page, words);
  } catch (error) {
    if (mine === fdbRound)
      say(at("fdb-note"), `The search was not answered (${error.message}).`);
  }
  if (mine === fdbRound && isFdbInSight)
    fdbTimer = setTimeout(askFdb, wait);
}

function showFdb(page, words) {
  fdb.show(page.entries, words ? "No station fits this search." : "No station is known yet.");
  const part = page.entries.length < page.found ? `, the first ${counted(page.entries.length)} shown` : "";
  say(at("fdb-note"), words ? `${counted(page.found)} of ${many(page.total, "station")} found${part}` : `${many(page.total, "station")}${part}`);
  at("fdb").dataset.words = words;
}

function search(words) {
  at("fdb-find").value = words;
  at("fdb-section").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  at("fdb-find").focus({ preventScroll: true });
  askFdb();
}

at("fdb-form").addEventListener("submit", event => { event.preventDefault(); askFdb(); });
at("fdb-find").addEventListener("input", () => {
  clearTimeout(fdbTimer);
  fdbTimer = setTimeout(askFdb, typingPause);
});
new IntersectionObserver(seen => {
  isFdbInSight = seen.at(-1).isIntersecting;
  clearTimeout(fdbTimer);
  if (isFdbInSight)
    askFdb();
}).observe(at("fdb-section"));

document.addEventListener("visibilitychange", () => {
  if (document.hidden)
    return;
  round();
  if (isFdbInSight)
    askFdb();
});
addEventListener("resize", () => { if (state) draw(); });
round();
