// Tables: plain ones, and one that sorts and filters.

// columns: {name, text, help, left, fold}. Cells as they are shown; a row that is a text is a heading of those below it.
function plainTable(columns, rows, label) {
  const head = columns.map((column) => make("th", { scope: "col", title: column.help ?? null, class: side(column) }, column.text));
  const body = rows.map((row) => (typeof row === "string"
    ? make("tr", { class: "group" }, make("th", { scope: "rowgroup", class: "text", colspan: columns.length }, make("span", {}, row)))
    : make("tr", {}, ...row.map((cell, place) => make("td", { class: side(columns[place]) }, cell)))));
  const table = make("table", { "aria-label": label }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, table);
}

function side(column) {
  return [column.left ? "text" : "", column.fold ? "fold" : ""].join(" ").trim();
}

// Headings as texts, the first `left` of them to the left.
function headings(texts, left = 1) {
  return texts.map((text, place) => ({ text, left: place < left }));
}

// A table of records whose headings are buttons that sort; `show(records)` filters again.
function sortableTable(columns, label) {
  const state = { records: [], column: null, falling: false };
  const heads = columns.map((column) =>
    make("th", { scope: "col", class: side(column) },
      make("button", { type: "button", title: column.help ?? null, click: () => sortBy(column) }, column.text)));
  const body = make("tbody");
  const table = make("table", { "aria-label": label }, make("thead", {}, make("tr", {}, ...heads)), body);
  const element = make("div", { class: "wide tall", tabindex: "0", role: "region", "aria-label": label }, table);

  function sortBy(column) {
    state.falling = state.column === column && !state.falling;
    state.column = column;
    heads.forEach((head, place) => head.removeAttribute("aria-sort"));
    heads[columns.indexOf(column)].setAttribute("aria-sort", state.falling ? "descending" : "ascending");
    render();
  }

  function render() {
    const rows = [...state.records];
    if (state.column !== null) {
      const sign = state.falling ? -1 : 1;
      rows.sort((one, other) => compare(one[state.column.name], other[state.column.name], sign));
    }
    body.replaceChildren(...rows.map((row) =>
      make("tr", {}, ...columns.map((column) => make("td", { class: side(column) }, number(row[column.name]))))));
  }

  return { element, show: (found) => { state.records = found; render(); } };
}

// What is not there comes last in both directions.
function compare(one, other, sign) {
  const [lacking, otherLacking] = [one, other].map((value) => value === null || value === "");
  if (lacking || otherLacking) return lacking - otherLacking;
  return sign * (typeof one === "number" ? one - other : String(one).localeCompare(String(other), "en"));
}
