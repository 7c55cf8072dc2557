// The points of a sweep in two objectives, their Pareto front, and what a point is.
const MOST_SERIES = 8;
const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star"];

function showPoints(section, sweep) {
  const rows = records(sweep);
  const objectives = Object.keys(sweep.objectives);
  const state = { x: objectives[0], y: objectives.includes("accuracy") ? "accuracy" : objectives[1] ?? objectives[0], point: null };
  const element = figure("Points of the sweep; the front is also a list below");
  const details = make("div", { class: "point", id: "point", role: "status", tabindex: "0" });
  const list = make("select", { id: "front", change: (event) => choose(Number(event.target.value)) });
  const grouping = ["series", "accelerator"].find((name) => values(rows, name).length <= MOST_SERIES) ?? null;
  const names = shortNames(grouping === null ? [] : values(rows, grouping));
  const bars = make("p", { class: "quiet", id: "bars" });

  function choose(place) {
    state.point = place;
    details.replaceChildren(...pointFacts(sweep, rows[place]));
    list.value = front.includes(place) ? String(place) : "";
    draw(element);
  }

  let front = [];
  function axes() {
    front = paretoFront(rows, sweep.objectives, state.x, state.y);
    const texts = front.map((place) => `${number(rows[place][state.x])}, ${number(rows[place][state.y])}: ${names.short.get(rows[place].series) ?? rows[place].series}, ratio ${rows[place].setting}`);
    list.replaceChildren(make("option", { value: "" }, "choose a point"), ...front.map((place, at) => make("option", { value: place }, texts[at])));
    list.value = front.includes(state.point) ? String(state.point) : "";
    bars.textContent = barsText(rows, state);
    chart(element, (colours) => pointsChart(rows, front, state, grouping, names.short, sweep.objectives, colours));
  }

  const offered = objectives.map((name) => [name, columnWords(name)]);
  const set = (axis) => (name) => { state[axis] = name; axes(); };
  const shown = rows.length < sweep.finished ? ` ${number(rows.length)} of ${number(sweep.finished)} points are shown: the fronts of all pairs of axes, and others evenly.` : "";
  const shared = names.shared === "" ? "" : ` All of them: ${names.shared}.`;
  section.append(
    make("p", { class: "quiet" }, `${sweep.name}: ${number(sweep.finished)} points.${shown}${shared} The line is the Pareto front. Click a point, or choose one of the front, to see what it is.`),
    make("div", { class: "controls" }, choice("Across", offered, state.x, set("x"), "across"), choice("Up", offered, state.y, set("y"), "up"),
      make("label", {}, "Points of the front", list)),
    make("div", { class: "beside" }, make("div", {}, element, bars), details));
  details.append(make("p", { class: "quiet" }, "No point is chosen."));
  axes();
  element.on("plotly_click", (event) => {
    const place = event.points[0].customdata;
    if (place !== undefined) choose(place);
  });
}

// Numbers of the points that no other beats in both, by the first objective.
function paretoFront(rows, objectives, x, y) {
  const cost = (row, name) => (objectives[name] === "low" ? row[name] : -row[name]);
  const order = rows.map((_, place) => place).filter((place) => rows[place][x] !== null && rows[place][y] !== null);
  order.sort((one, other) => cost(rows[one], x) - cost(rows[other], x) || cost(rows[one], y) - cost(rows[other], y));
  let least = Infinity;
  return order.filter((place) => {
    const better = cost(rows[place], y) < least;
    if (better) least = cost(rows[place], y);
    return better;
  });
}

// Names as a legend says them: without what all of them share, and paths as short as they stay apart.
function shortNames(names) {
  const words = names.map((name) => name.split(" "));
  const shared = names.length > 1 ? words[0].filter((word) => words.every((one) => one.includes(word))) : [];
  const paths = [...new Set(words.flat().filter((word) => word.includes("=")).map((word) => word.split("=")[0]))];
  const end = (path) => path.split(".").map((_, place, parts) => parts.slice(parts.length - 1 - place).join("."))
    .find((short) => paths.filter((other) => `.${other}`.endsWith(`.${short}`)).length === 1) ?? path;
  const texts = words.map((one) => one.filter((word) => !shared.includes(word)).map((word) => {
    const [path, ...value] = word.split("=");
    return value.length ? [end(path), ...value].join("=") : word;
  }).join(" "));
  if (texts.includes("") || new Set(texts).size < texts.length) return { short: new Map(names.map((name) => [name, name])), shared: "" };
  return { short: new Map(names.map((name, place) => [name, texts[place]])), shared: shared.join(" ") };
}

function pointsChart(rows, front, state, grouping, names, objectives, colours) {
  const groups = grouping === null ? ["points"] : values(rows, grouping);
  const labels = [...groups.map((group) => onLines(names.get(group) ?? group, narrow() ? 40 : 80)), "Pareto front"];
  const traces = groups.map((group, at) => {
    const places = rows.map((_, place) => place).filter((place) => grouping === null || rows[place][grouping] === group);
    return {
      type: "scatter", mode: "markers", name: labels[at], customdata: places, ...coordinates(rows, places, state), ...intervals(rows, places, state, colours),
      marker: { color: seriesColour(at, colours), symbol: SYMBOLS[at % SYMBOLS.length], size: rows.length > 500 ? 5 : 9, line: { color: colours.card, width: 0.5 } },
      text: places.map((place) => `${plain(rows[place].series)}<br>ratio ${plain(rows[place].setting)}`), hovertemplate: "%{text}<br>%{x:,.5~g}, %{y:,.5~g}<extra></extra>",
    };
  });
  traces.push({ type: "scatter", mode: "lines", name: "Pareto front", ...coordinates(rows, front, state), line: { shape: "hv", color: colours.text, width: 1.5, dash: "dot" }, hoverinfo: "skip" });
  if (state.point !== null) {
    traces.push({ type: "scatter", mode: "markers", name: "chosen", ...coordinates(rows, [state.point], state), marker: { symbol: "circle-open", size: 18, color: colours.text, line: { width: 2.5 } }, hoverinfo: "skip", showlegend: false });
  }
  const title = (name) => ({ text: `${columnWords(name)}, ${objectives[name]}er is better` });
  return {
    traces,
    layout: { height: 400 + legendHeight(labels), hovermode: "closest", legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, xaxis: { title: title(state.x) }, yaxis: { title: title(state.y) } },
  };
}

// About what a legend above a chart takes: its entries are as wide as the longest of them.
function legendHeight(labels) {
  const lines = labels.map((label) => label.split("<br>"));
  const widest = 45 + 7 * Math.max(...lines.flat().map((line) => line.length));
  const across = Math.max(1, Math.floor((narrow() ? 300 : 620) / widest));
  return (20 * lines.reduce((sum, one) => sum + one.length, 0)) / across;
}

function coordinates(rows, places, state) {
  return { x: places.map((place) => rows[place][state.x]), y: places.map((place) => rows[place][state.y]) };
}

// Bootstrap intervals of accuracies, along the axes that have them.
function intervals(rows, places, state, colours) {
  const ends = places.map((place) => rows[place]);
  const bar = {
    type: "data", symmetric: false, thickness: 1, color: colours.quiet,
    array: ends.map((row) => row.accuracy_high - row.accuracy), arrayminus: ends.map((row) => row.accuracy - row.accuracy_low),
  };
  return Object.fromEntries(["x", "y"].filter((axis) => state[axis] === "accuracy").map((axis) => [`error_${axis}`, bar]));
}

function barsText(rows, state) {
  if (![state.x, state.y].includes("accuracy")) return "";
  const counts = values(rows.filter((row) => row.accuracy !== null), "n");
  return `Bars: 95 % bootstrap interval of AP50 over n = ${counts.map(number).join(", ")} canvases.`;
}

// What a point is: everything its row says, and the machine where its file was at hand.
function pointFacts(sweep, row) {
  const said = Object.entries(row).filter(([, value]) => value !== null && value !== "");
  const found = [make("h3", {}, `${row.series}, ratio ${row.setting}`), facts(said.map(([name, value]) => [name.replaceAll("_", " "), number(value), DATA.glossary.points[name]]))];
  const config = sweep.configs[row.accelerator];
  if (config !== undefined) found.push(make("details", {}, make("summary", {}, "config"), make("pre", { tabindex: "0" }, config)));
  return found;
}
