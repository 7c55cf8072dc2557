// The operators of a run: filtered by words, kind and stage, sorted by any column.
// In this order, what is looked for first before what explains it; "all" shows the others behind them.
const MAIN_COLUMNS = [
  "operator", "name", "kind", "stage", "attributed_cycles", "array_busy_cycles", "vector_busy_cycles", "dram_busy_cycles",
  "dram_read_bits", "energy_pj", "macs", "modes", "groups", "m", "n", "k",
];

function showLayers(section, run, workload) {
  const every = records(run.layers).filter((row) => row.workload === workload);
  const wanted = { words: "", kind: "", stage: "" };
  const count = make("p", { class: "quiet", role: "status", id: "layer-count" });
  const place = make("div");
  let table = null;

  function columnsShown(names) {
    const others = run.layers.columns.filter((name) => !MAIN_COLUMNS.includes(name));
    const columns = names === "all" ? [...MAIN_COLUMNS, ...others] : MAIN_COLUMNS;
    table = sortableTable(columns.map((name) => ({
      name, text: name.replaceAll("_", " "), help: DATA.glossary.layers[name], left: typeof every[0][name] === "string",
    })), "layers");
    place.replaceChildren(table.element);
    filter();
  }

  function filter() {
    const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
    const found = every.filter((row) => (wanted.kind === "" || row.kind === wanted.kind) && (wanted.stage === "" || String(row.stage) === wanted.stage)
      && words.every((word) => ["name", "kind", "grid", "groups", "modes"].some((name) => String(row[name]).toLowerCase().includes(word))));
    count.textContent = `${found.length} of ${every.length} rows`;
    table.show(found);
  }

  function set(name) {
    return (value) => { wanted[name] = value; filter(); };
  }

  const search = make("input", { type: "search", id: "layer-search", placeholder: "such as qk 4x4", input: (event) => set("words")(event.target.value) });
  section.append(make("div", { class: "controls" },
    make("label", {}, "Words in name, kind, grid, groups, modes", search),
    choice("Kind", [["", "all"], ...values(every, "kind").map((kind) => [kind, kind])], "", set("kind"), "layer-kind"),
    choice("Stage", [["", "all"], ...values(every, "stage").map((stage) => [stage, stage < 0 ? "outside" : stage])], "", set("stage"), "layer-stage"),
    choice("Columns", [["main", "main"], ["all", "all"]], "main", columnsShown, "layer-columns")), count, place);
  columnsShown("main");
}

// The different values of a column, in order.
function values(rows, name) {
  return [...new Set(rows.map((row) => row[name]))].sort((one, other) => compare(one, other, 1));
}
