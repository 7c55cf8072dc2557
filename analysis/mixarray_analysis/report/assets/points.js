// The points of a sweep in two objectives, their Pareto front, and what a point is.
const MOST_SERIES = 8;
const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star"];

function showPoints(section, sweep) {
  const rows = records(sweep);
  const names = Object.keys(sweep.objectives);
  const state = { x: names[0], y: names.includes("accuracy") ? "accuracy" : names[1] ?? names[0], point: null };
  const element = figure("Points of the sweep; the front is also a list below");
  const details = make("div", { class: "point", id: "point", role: "status", tabindex: "0" });
  const list = make("select", { id: "front", change: (event) => choose(Number(event.target.value)) });
  const grouping = ["series", "accelerator"].find((name) => values(rows, name).length <= MOST_SERIES) ?? null;

  function choose(place) {
    state.point = place;
    details.replaceChildren(...pointFacts(sweep, rows[place]));
    list.value = front.includes(place) ? String(place) : "";
    draw(element);
  }

  let front = [];
  function axes() {
    front = paretoFront(rows, sweep.objectives, state.x, state.y);
    const texts = front.map((place) => `${number(rows[place][state.x])}, ${number(rows[place][state.y])}: ${rows[place].series}, ratio ${rows[place].setting}`);
    list.replaceChildren(make("option", { value: "" }, "choose a point"), ...front.map((place, at) => make("option", { value: place }, texts[at])));
    list.value = front.includes(state.point) ? String(state.point) : "";
    chart(element, (colours) => pointsChart(rows, front, state, grouping, sweep.objectives, colours));
  }

  const offered = names.map((name) => [name, columnWords(name)]);
  const set = (axis) => (name) => { state[axis] = name; axes(); };
  const shown = rows.length < sweep.finished ? ` ${number(rows.length)} of ${number(sweep.finished)} points are shown: the fronts of all pairs of axes, and others evenly.` : "";
  section.append(
    make("p", { class: "quiet" }, `${sweep.name}: ${number(sweep.finished)} points.${shown} The line is the Pareto front. Click a point, or choose one of the front, to see what it is.`),
    make("div", { class: "controls" }, choice("Across", offered, state.x, set("x"), "across"), choice("Up", offered, state.y, set("y"), "up"),
      make("label", {}, "Points of the front", list)),
    make("div", { class: "beside" }, element, details));
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

function pointsChart(rows, front, state, grouping, objectives, colours) {
  const groups = grouping === null ? ["points"] : values(rows, grouping);
  const traces = groups.map((group, at) => {
    const places = rows.map((_, place) => place).filter((place) => grouping === null || rows[place][grouping] === group);
    return {
      type: "scatter", mode: "markers", name: plain(group), customdata: places, ...coordinates(rows, places, state), ...interval(rows, places, state, colours),
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
    layout: { height: 470, hovermode: "closest", legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, xaxis: { title: title(state.x) }, yaxis: { title: title(state.y) } },
  };
}

function coordinates(rows, places, state) {
  return { x: places.map((place) => rows[place][state.x]), y: places.map((place) => rows[place][state.y]) };
}

// Bootstrap intervals of accuracies.
function interval(rows, places, state, colours) {
  if (state.y !== "accuracy") return {};
  const ends = places.map((place) => rows[place]);
  return { error_y: {
    type: "data", symmetric: false, thickness: 1, color: colours.quiet,
    array: ends.map((row) => row.accuracy_high - row.accuracy), arrayminus: ends.map((row) => row.accuracy - row.accuracy_low),
  } };
}

// What a point is: everything its row says, and the machine where its file was at hand.
function pointFacts(sweep, row) {
  const said = Object.entries(row).filter(([, value]) => value !== null && value !== "");
  const found = [make("h3", {}, `${row.series}, ratio ${row.setting}`), facts(said.map(([name, value]) => [name.replaceAll("_", " "), number(value), DATA.glossary.points[name]]))];
  const config = sweep.configs[row.accelerator];
  if (config !== undefined) found.push(make("details", {}, make("summary", {}, "config"), make("pre", { tabindex: "0" }, config)));
  return found;
}
