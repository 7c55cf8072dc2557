// The page: its parts, the run and sweep they show, the theme, printing.
const chosen = { run: 0, workload: 0, sweep: 0 };
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

// id, heading, whether it is there, and what fills it.
function parts() {
  const run = DATA.runs[chosen.run];
  const sweep = DATA.sweeps[chosen.sweep];
  return [
    ["summary", "Summary", true, (section) => showSummaries(section, run, sweep)],
    ["comparison", "Comparison", DATA.comparison !== null, (section) => showComparison(section, DATA.comparison)],
    ["waterfall", "Waterfall", run !== undefined, (section) => showWaterfall(section, run)],
    ["layers", "Layers", run !== undefined, (section) => showLayers(section, run, chosen.workload)],
    ["points", "Pareto", true, (section) => (sweep === undefined ? section.append(missing(NO_SWEEP)) : showPoints(section, sweep))],
    ["windows", "Windows", run !== undefined, (section) => showWindows(section, run)],
    ["timeline", "Timeline", run !== undefined, (section) => showTimeline(section, run, chosen.workload)],
    ["runs", "Runs", run === undefined, (section) => section.append(missing(sweep.missing))],
    ["reference", "Config and provenance", true, (section) => showReference(section, run, sweep)],
    ["glossary", "Glossary", true, showGlossary],
  ];
}

const NO_SWEEP = "Points are of a sweep. Made by: mixarray sweep -o SWEEP; then name that directory too: mixarray report RUN SWEEP";

function showSummaries(section, run, sweep) {
  if (run !== undefined) showSummary(section, run);
  if (run !== undefined && sweep !== undefined) section.append(make("h3", {}, "The sweep"));
  if (sweep !== undefined) showSweepSummary(section, sweep);
}

function showReference(section, run, sweep) {
  if (run !== undefined) showRunReference(section, run);
  if (sweep !== undefined) showSweepReference(section, sweep);
}

// Parts named in `only` are filled anew; the others stay as they are.
function show(only = null) {
  const content = document.getElementById("content");
  for (const [id, heading, there, fillIt] of parts()) {
    if (!there || (only !== null && !only.includes(id))) continue;
    const old = document.getElementById(id);
    if (old !== null) forget(old);
    const section = make("section", { id, "aria-labelledby": `${id}-heading` }, make("h2", { id: `${id}-heading` }, heading));
    if (old === null) content.append(section);
    else old.replaceWith(section);
    fillIt(section);
  }
}

function showHeader() {
  const links = parts().filter(([, , there]) => there).map(([id, heading]) => make("a", { href: `#${id}` }, heading.split(" ")[0]));
  document.getElementById("nav").replaceChildren(...links);
  const tools = document.getElementById("tools");
  const runParts = ["summary", "waterfall", "layers", "windows", "timeline", "reference"];
  const names = (list) => list.map((one, place) => [place, one.name]);
  const workloads = DATA.runs.length ? values(records(DATA.runs[chosen.run].layers), "workload") : [];
  const controls = [];
  if (DATA.runs.length > 1) controls.push(choice("Run", names(DATA.runs), chosen.run, (place) => { chosen.run = Number(place); chosen.workload = 0; showHeader(); show(runParts); }, "run"));
  if (DATA.sweeps.length > 1) controls.push(choice("Sweep", names(DATA.sweeps), chosen.sweep, (place) => { chosen.sweep = Number(place); show(["summary", "points", "runs", "reference"]); }, "sweep"));
  if (workloads.length > 1) controls.push(choice("Workload", workloads.map((one) => [one, one]), chosen.workload, (place) => { chosen.workload = Number(place); show(["layers", "timeline"]); }, "workload"));
  const label = () => (root.dataset.theme === "dark" ? "Light theme" : "Dark theme");
  const toggle = make("button", { type: "button", id: "theme", click: () => { setTheme(root.dataset.theme === "dark" ? "light" : "dark"); toggle.textContent = label(); } }, label());
  tools.replaceChildren(...controls, toggle);
}

function setTheme(name) {
  root.dataset.theme = name;
  drawAll();
}

setTheme(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => { setTheme(dark.matches ? "dark" : "light"); showHeader(); });
let before = root.dataset.theme;
window.addEventListener("beforeprint", () => { before = root.dataset.theme; setTheme("light"); });
window.addEventListener("afterprint", () => setTheme(before));
let wasNarrow = narrow();
window.addEventListener("resize", () => {
  if (narrow() === wasNarrow) return;
  wasNarrow = narrow();
  drawAll();
});
showHeader();
show();
