// Where the numbers come from, and what their names mean.
const PROVENANCE = [
  "source", "trace_sha256", "accelerator", "accelerator_sha256", "execution_sha256", "images", "seed", "engine", "energy_model", "git_revision", "schema_version",
];
const PARTS = { totals: "Totals of a run", speedups: "Speedups", layers: "Layers", points: "Points of a sweep" };

function showRunReference(section, run) {
  const { versions, trace, speedup } = run.run;
  const rest = [["trace", trace === null ? "no bundle" : trace.path], ["baseline", speedup === null ? "none" : speedup.baseline],
    ["versions", Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")], ["page written by", `mixarray ${DATA.mixarray}`]];
  section.append(facts([...PROVENANCE.map((name) => [name.replaceAll("_", " "), number(run.run[name])]), ...rest]),
    make("details", {}, make("summary", {}, `accelerator ${run.run.accelerator}`), make("pre", { tabindex: "0" }, run.config)));
}

function showSweepReference(section, sweep) {
  const { facts: known, tables } = sweep.provenance;
  const written = ["page written by", `mixarray ${DATA.mixarray}`];
  const all = known.map(([name, text]) => [name.replaceAll("_", " "), text]);
  if (DATA.runs.length) section.append(make("h3", {}, `sweep ${sweep.name}`));
  section.append(facts(DATA.runs.length ? all : [...all, written]));
  for (const { title, headings: names, texts, rows } of tables) {
    const columns = headings(names, texts).map((column, place) => ({ ...column, fold: place > 0 }));
    section.append(make("details", {}, make("summary", {}, title), plainTable(columns, rows, title)));
  }
  const more = Object.entries(sweep.configs).map(([name, text]) => [`accelerator ${name} of ${sweep.name}`, text]);
  if (sweep.about !== "") more.push([`sweep ${sweep.name}: specification, counts, versions`, sweep.about]);
  section.append(...more.map(([name, text]) => make("details", {}, make("summary", {}, name), make("pre", { tabindex: "0" }, text))));
}

function showGlossary(section) {
  for (const [part, names] of Object.entries(DATA.glossary)) {
    section.append(make("details", {}, make("summary", {}, PARTS[part]), facts(Object.entries(names))));
  }
}
