// Elements and numbers. Texts of the data only ever become text nodes and attributes, never markup.
const DATA = JSON.parse(document.getElementById("data").textContent);

// An element; attributes that are functions are listeners, children are elements or texts.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(element, attributes);
  element.append(...children);
  return element;
}

function fill(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null) element.setAttribute(name, value);
  }
}

// A labelled choice of [value, text] pairs; `change` gets the value.
function choice(label, pairs, chosen, change, id) {
  const options = pairs.map(([value, text]) => make("option", { value }, text));
  const select = make("select", { id, change: (event) => change(event.target.value) }, ...options);
  select.value = chosen;
  return make("label", {}, label, select);
}

function facts(pairs) {
  const rows = pairs.flatMap(([name, value, help]) => [make("dt", { title: help ?? null }, name), make("dd", {}, value)]);
  return make("dl", { class: "facts" }, ...rows);
}

function missing(text) {
  return make("p", { class: "missing" }, text);
}

// At least five significant digits and grouped thousands; what is not there is a dash.
function number(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) || Math.abs(value) >= 1e5) return value.toLocaleString("en", { maximumFractionDigits: 0 });
  return value.toLocaleString("en", { maximumSignificantDigits: 5 });
}

function percent(share) {
  return share > 0 && share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}

// Rows as objects by column.
function records(table) {
  return table.rows.map((row) => Object.fromEntries(table.columns.map((column, place) => [column, row[place]])));
}

// A unit or component of the machine as people call it: array 0 weight port.
function unitWords(name) {
  const words = name.replace("vector_units", "vector unit").replace("dram_channels", "DRAM").replace("arrays", "array");
  return words.replace("buffers.", "").replaceAll(".", " ").replaceAll("_", " ");
}

const UNITS = [["_uj_ms", " (µJ·ms)"], ["_uj", " (µJ)"], ["_ms", " (ms)"], ["_mm2", " (mm²)"]];

const AXIS_WORDS = {
  accuracy: "AP50 (0 to 1)", bops: "BOPs", bops_speedup: "speedup promised by BOPs (x)", simulated_speedup: "simulated speedup (x)",
  edp_uj_ms: "energy x delay (µJ·ms)", utilization: "utilisation (0 to 1)", peak_mac_utilization: "share of peak MACs (0 to 1)",
};

// A column as an axis says it: its words, and its unit in brackets.
function columnWords(name) {
  if (Object.hasOwn(AXIS_WORDS, name)) return AXIS_WORDS[name];
  const [suffix, unit] = UNITS.find(([end]) => name.endsWith(end)) ?? ["", ""];
  return name.slice(0, name.length - suffix.length).replaceAll("_", " ") + unit;
}

function jobWords(kind) {
  return DATA.words[kind] ?? kind;
}
