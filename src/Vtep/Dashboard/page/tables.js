// Tables whose rows stay the same elements from second to second: only cells that changed are written, so that a selection, the focus and a screen
// reader's place in the table stay.

import { element, say } from "./text.js";

export class Table {
  #body; #columns; #keyOf; #empty; #nothing;
  #rows = new Map();

  /**
   * Columns are { label, text, isNumber, tone, choose }: text and tone (a class) of a row; choose makes the cell a button.
   * nothing is said when there are no rows.
   */
  constructor(table, caption, columns, keyOf, nothing) {
    [this.#columns, this.#keyOf, this.#nothing] = [columns, keyOf, nothing];
    this.#body = element("tbody");
    this.#empty = element("tr", {}, element("td", { colspan: columns.length, class: "nothing" }, nothing));
    table.append(element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, columns.map(column => element("th", { scope: "col", class: column.isNumber ? "number" : null }, column.label)))), this.#body);
  }

  /** Shows rows, in their order. */
  show(rows, nothing = this.#nothing) {
    const kept = new Map();
    for (const row of rows) {
      const key = this.#keyOf(row);
      const line = this.#rows.get(key) ?? this.#make();
      this.#write(line, row);
      kept.set(key, line);
    }
    this.#rows = kept;
    say(this.#empty.firstChild, nothing);
    const wanted = kept.size > 0 ? [...kept.values()] : [this.#empty];
    if (wanted.length !== this.#body.children.length || wanted.some((line, i) => this.#body.children[i] !== line))
      this.#body.replaceChildren(...wanted);
  }

  #make() {
    const line = element("tr", {}, this.#columns.map((column, i) => {
      const cell = element(i === 0 ? "th" : "td", { class: column.isNumber ? "number" : null, scope: i === 0 ? "row" : null });
      if (column.choose)
        cell.append(element("button", { type: "button", class: "link", click: () => column.choose(line.row) }));
      return cell;
    }));
    return line;
  }

  #write(line, row) {
    line.row = row;
    this.#columns.forEach((column, i) => {
      const cell = line.children[i];
      say(column.choose ? cell.firstChild : cell, column.text(row));
      if (column.tone)
        cell.className = [column.isNumber ? "number" : "", column.tone(row)].join(" ").trim();
    });
  }
}
