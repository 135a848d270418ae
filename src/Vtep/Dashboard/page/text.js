// Text and elements. Whatever the daemon says comes into the page here, as text nodes and attributes, never as HTML. Characters that can't be
// seen, or turn the writing direction, are shown as their number: a name must look like what it is.

const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text from outside, as it may be shown. */
export const shown = text => String(text ?? "").replace(unseen, c => "\\u{" + c.codePointAt(0).toString(16) + "}");

/** An element with attributes and children; strings become text. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

const svgNamespace = "http://www.w3.org/2000/svg";

/** An element of SVG. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(svgNamespace, name), attributes, children);
}

/** Sets an element's text, if it has another. */
export function say(target, text) {
  const said = shown(text);
  if (target.textContent !== said)
    target.textContent = said;
}

/** Finds by id. */
export const at = id => document.getElementById(id);

const units = ["", "k", "M", "G", "T", "P"];

/** 12345678 as "12.3 M"; with a unit "12.3 Mbit/s". */
export function scaled(value, unit = "") {
  let step = 0;
  while (Math.abs(value) >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step++;
  }
  const digits = value === 0 || (step === 0 && value >= 99.5) ? 0 : value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  const number = step === 0 && Number.isInteger(value) ? String(value) : value.toFixed(digits);
  return (number + " " + units[step] + unit).trim();
}

const grouped = new Intl.NumberFormat("en", { useGrouping: true });

/** 1234567 as "1,234,567". */
export const counted = value => grouped.format(value);

/** "1 peer", "2 peers". */
export const many = (count, what) => counted(count) + " " + what + (count === 1 ? "" : "s");

/** Seconds as "3 d 4 h". */
export function lasting(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = Math.max(0, parts.findIndex(([, length]) => seconds >= length));
  if (seconds < 1)
    return "0 s";
  let rest = Math.floor(seconds);
  return parts.slice(first, first + 2).map(([name, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count > 0 ? count + " " + name : "";
  }).filter(part => part).join(" ");
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function")
      made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(name, shown(value === true ? "" : value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== "")
      made.append(child instanceof Node ? child : shown(child));
  }
  return made;
}
