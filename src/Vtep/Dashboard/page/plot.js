// A plot of rates over the last five minutes: one SVG, series stacked on one another, so that the upper edge is the sum. The busiest few have a
// colour, the rest is one series. The pointer, or the arrow keys, read values off; what is last is in the caption, for those who don't see it.

import { element, shape, say, scaled } from "./text.js";

const height = 170;
const margin = { left: 52, right: 8, top: 8, bottom: 20 };
const mostSeries = 6;
const others = "other";

export class Plot {
  #figure; #unit; #colorOf; #nameOf; #svg; #total; #legend; #reading;
  #layers = [];
  #points = [];
  #range = [0, 1];
  #cursor = null;

  /** A plot in a figure; colorOf and nameOf tell a series' class and name by its key. */
  constructor(figure, title, unit, colorOf, nameOf) {
    [this.#figure, this.#unit, this.#colorOf, this.#nameOf] = [figure, unit, colorOf, nameOf];
    this.#total = element("span", { class: "total" });
    this.#legend = element("ul", { class: "legend" });
    this.#reading = element("p", { class: "reading", hidden: true });
    this.#svg = shape("svg", { class: "plot", role: "img", "aria-label": title + ", the last five minutes", tabindex: 0 });
    figure.append(element("figcaption", {}, element("span", { class: "what" }, title), this.#total), this.#svg, this.#reading, this.#legend);
    this.#svg.addEventListener("pointermove", event => this.#point((event.offsetX - margin.left) / this.#inner));
    this.#svg.addEventListener("pointerleave", () => this.#point(null));
    this.#svg.addEventListener("blur", () => this.#point(null));
    this.#svg.addEventListener("keydown", event => this.#step(event));
  }

  get #inner() { return Math.max(50, this.#figure.clientWidth - margin.left - margin.right); }

  /** Draws points; field names the Map of rates in each. */
  draw(points, range, field, total) {
    [this.#points, this.#range] = [points, range];
    const keys = busiest(points, field);
    this.#layers = keys.map(key => ({ key, name: key === others ? others : this.#nameOf(key), color: key === others ? "other" : this.#colorOf(key) }));
    for (const point of points.filter(point => !point.gap))
      point.layers = stacked(point[field], keys);
    const top = niceTop(Math.max(...points.filter(point => !point.gap).map(point => point.layers.at(-1) ?? 0), 0));
    this.#render(top);
    say(this.#total, scaled(total, this.#unit));
    this.#tellLegend(points.at(-1));
    this.#read();
  }

  #render(top) {
    const width = this.#inner + margin.left + margin.right;
    const x = at => margin.left + this.#inner * (at - this.#range[0]) / (this.#range[1] - this.#range[0] || 1);
    const y = value => height - margin.bottom - (height - margin.top - margin.bottom) * value / top;
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      parts.push(shape("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(top * share), y2: y(top * share) }));
      parts.push(shape("text", { class: "axis", x: margin.left - 6, y: y(top * share) + 4, "text-anchor": "end" }, scaled(top * share).replace(/\.0+\b/, "")));
    }
    for (const minutes of width < 300 ? [4, 2] : [4, 3, 2, 1])
      parts.push(shape("text", { class: "axis", x: x(this.#range[1] - minutes * 60000), y: height - 4, "text-anchor": "middle" }, "−" + minutes + " min"));
    for (let i = this.#layers.length - 1; i >= 0; i--)
      parts.push(...this.#layer(i, x, y));
    this.#cursor = shape("line", { class: "cursor", y1: margin.top, y2: height - margin.bottom, visibility: "hidden" });
    parts.push(this.#cursor);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.setAttribute("height", height);
    this.#svg.replaceChildren(...parts);
  }

  #layer(i, x, y) {
    const parts = [];
    for (const run of runs(this.#points)) {
      const upper = run.map(point => x(point.at).toFixed(1) + " " + y(point.layers[i]).toFixed(1));
      const lower = run.map(point => x(point.at).toFixed(1) + " " + y(i > 0 ? point.layers[i - 1] : 0).toFixed(1)).reverse();
      parts.push(shape("path", { class: "area " + this.#layers[i].color, d: "M" + upper.concat(lower).join("L") + "Z" }));
      parts.push(shape("path", { class: "edge " + this.#layers[i].color, d: "M" + upper.join("L"), "data-series": this.#layers[i].name }));
    }
    return parts;
  }

  #tellLegend(point) {
    const items = this.#layers.map(layer => layer.name + "\n" + layer.color).join("\n\n");
    if (items !== this.#legend.dataset.items) {
      this.#legend.dataset.items = items;
      this.#legend.replaceChildren(...this.#layers.map(layer => element("li", {}, element("i", { class: layer.color }), layer.name, " ", element("b"))));
    }
    const values = point?.layers ?? [];
    [...this.#legend.children].forEach((item, i) => say(item.lastChild, scaled((values[i] ?? 0) - (i > 0 ? values[i - 1] : 0), this.#unit)));
  }

  #chosen = null; // a share of the width, 0 to 1; null: nothing is read off

  #point(share) {
    this.#chosen = share === null || share < 0 || share > 1 ? null : share;
    this.#read();
  }

  #step(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      this.#point(Math.min(1, Math.max(0, (this.#chosen ?? 1) + step / 60)));
    } else if (event.key === "Escape")
      this.#point(null);
  }

  #read() {
    const known = this.#points.filter(point => !point.gap);
    this.#reading.hidden = this.#chosen === null || known.length === 0;
    if (this.#reading.hidden)
      return this.#cursor?.setAttribute("visibility", "hidden");
    const at = this.#range[0] + this.#chosen * (this.#range[1] - this.#range[0]);
    const near = known.reduce((best, point) => Math.abs(point.at - at) < Math.abs(best.at - at) ? point : best);
    const x = margin.left + this.#inner * (near.at - this.#range[0]) / (this.#range[1] - this.#range[0]);
    this.#cursor.setAttribute("x1", x);
    this.#cursor.setAttribute("x2", x);
    this.#cursor.setAttribute("visibility", "visible");
    const values = this.#layers.map((layer, i) => layer.name + " " + scaled(near.layers[i] - (i > 0 ? near.layers[i - 1] : 0), this.#unit));
    say(this.#reading, Math.round((this.#range[1] - near.at) / 1000) + " s ago: " + (values.join(", ") || "nothing"));
  }
}

// The keys with the largest sums, in the order of their keys, so that layers don't change places; "other" when there are more.
function busiest(points, field) {
  const sums = new Map();
  for (const point of points.filter(point => !point.gap)) {
    for (const [key, value] of point[field])
      sums.set(key, (sums.get(key) ?? 0) + value);
  }
  const ranked = [...sums].filter(([, total]) => total > 0).sort((one, two) => two[1] - one[1]).map(([key]) => key);
  const kept = ranked.length > mostSeries ? ranked.slice(0, mostSeries - 1) : ranked;
  kept.sort((one, two) => one < two ? -1 : 1);
  return ranked.length > mostSeries ? [...kept, others] : kept;
}

// Heights of the layers, each on those before it.
function stacked(rates, keys) {
  let height = 0, all = 0;
  for (const value of rates.values())
    all += value;
  return keys.map(key => key === others ? Math.max(all, height) : height += rates.get(key) ?? 0);
}

function runs(points) {
  const found = [[]];
  for (const point of points)
    point.gap ? found.push([]) : found.at(-1).push(point);
  return found.filter(run => run.length > 1);
}

// 1, 2 or 5 times a power of ten, not less.
function niceTop(value) {
  if (value <= 0)
    return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value * 1.02) ?? 10 * power;
}
