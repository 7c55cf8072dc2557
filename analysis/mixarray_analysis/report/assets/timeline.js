// When the units were busy, when the operators ran, and whose the cycles of the critical chain are.
function showTimeline(section, run, workload) {
  const rows = records(run.layers).filter((row) => row.workload === workload && row.operator >= 0);
  if (run.timeline === null) section.append(missing(run.missing.timeline));
  else if (workload === 0) {
    const element = figure("Share of the time that every unit is busy");
    section.append(make("h3", {}, "Units"), element);
    chart(element, () => unitsChart(run.timeline));
  }
  const spans = figure("From the first start to the last result of every operator, by block");
  section.append(make("h3", {}, "Operators by block"), spans);
  chart(spans, (colours) => spansChart(rows, colours));
  showAttribution(section, run.run.attribution);
}

function unitsChart(timeline) {
  const length = timeline.bin_cycles;
  const units = Object.keys(timeline.units).filter((unit) => timeline.units[unit].some((cycles) => cycles > 0));
  const count = timeline.units[units[0]].length;
  const starts = Array.from({ length: count }, (_, bin) => bin * length);
  const last = timeline.total_cycles - (count - 1) * length;
  const shares = units.map((unit) => timeline.units[unit].map((cycles, bin) => (100 * cycles) / (bin === count - 1 ? last : length)));
  return {
    traces: [{
      type: "heatmap", x0: length / 2, dx: length, y: units.map(unitWords), z: shares, zmin: 0, zmax: 100, colorscale: "Viridis", customdata: units.map(() => starts),
      colorbar: { title: { text: "% busy", side: "right" }, thickness: 12 }, hovertemplate: "%{y}<br>from cycle %{customdata:,}: %{z:.1f} % busy<extra></extra>", ygap: 3,
    }],
    layout: { height: 80 + 44 * units.length, yaxis: { autorange: "reversed", type: "category", showgrid: false }, xaxis: { title: { text: "cycle" }, range: [0, timeline.total_cycles], showgrid: false } },
  };
}

function spansChart(rows, colours) {
  const block = (row) => (row.stage < 0 ? "outside stages" : `stage ${row.stage} ${row.block < 0 ? "entry" : `block ${row.block}`}`);
  const blocks = [...new Set(rows.map(block))];
  const kinds = [...new Set(rows.map((row) => (row.kind === "gemm" ? "GEMM" : "other")))];
  const traces = kinds.map((kind) => {
    const part = rows.filter((row) => (row.kind === "gemm") === (kind === "GEMM"));
    return {
      type: "bar", orientation: "h", name: kind, y: part.map(block), base: part.map((row) => row.first_start_cycles), x: part.map((row) => row.last_ready_cycles - row.first_start_cycles),
      marker: { color: seriesColour(kind === "GEMM" ? 0 : 1, colours), line: { color: colours.card, width: 0.5 } }, opacity: 0.75,
      text: part.map((row) => plain(row.name)), textposition: "none", hovertemplate: "%{text}<br>cycle %{base:,} to %{x:,}<extra></extra>",
    };
  });
  return {
    traces,
    layout: {
      height: 110 + 24 * blocks.length, barmode: "group", bargap: 0.1, bargroupgap: 0, legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, margin: { l: 10, r: 14, t: 34, b: 40 },
      yaxis: { autorange: "reversed", type: "category", categoryarray: blocks, showgrid: false }, xaxis: { title: { text: "cycle" }, rangemode: "tozero" },
    },
  };
}

function showAttribution(section, attribution) {
  section.append(make("h3", {}, "The critical chain: whose the cycles are"));
  if (!attribution.length) return section.append(missing("Not kept by this run: repeat the command that made it with --timeline --force."));
  const total = attribution.reduce((sum, entry) => sum + entry.cycles, 0);
  const element = figure("Cycles of the critical chain by unit and kind of job; the numbers are in the table below");
  const columns = [{ text: "unit", left: true }, { text: "what", left: true, fold: true }, { text: "cycles" }, { text: "share" }];
  const rows = attribution.map((entry) => [entry.unit, jobWords(entry.kind), number(entry.cycles), percent(entry.cycles / total)]);
  section.append(element, make("details", {}, make("summary", {}, "The chain as a table"), plainTable(columns, rows, "critical chain")));
  chart(element, (colours) => attributionChart(attribution.filter((entry) => entry.cycles > 0), total, colours));
}

function attributionChart(entries, total, colours) {
  const units = values(entries, "unit");
  const names = entries.map((entry) => `${jobWords(entry.kind)}${units.length > 1 ? ` (${unitWords(entry.unit)})` : ""}`);
  const labels = names.map((name, place) => (narrow() ? onLines(jobWords(entries[place].kind)) : plain(name)));
  // A row is as high as the lines of its label need; places and heights are in pixels.
  const heights = labels.map((label) => 10 + 14 * label.split("<br>").length);
  const ends = heights.map((_, place) => heights.slice(0, place + 1).reduce((sum, height) => sum + height, 0));
  const places = ends.map((end, place) => end - heights[place] / 2);
  const length = ends[ends.length - 1];
  return {
    traces: [{
      type: "bar", orientation: "h", y: places, width: 18, x: entries.map((entry) => entry.cycles), text: entries.map((entry) => plain(percent(entry.cycles / total))), textposition: "outside", cliponaxis: false,
      marker: { color: entries.map((entry) => seriesColour(units.indexOf(entry.unit), colours)) }, hovertext: names.map(plain), hovertemplate: "%{hovertext}<br>%{x:,} cycles<extra></extra>",
    }],
    layout: {
      height: 70 + length, margin: { l: 10, r: 60, t: 10, b: 60 }, xaxis: { title: { text: "cycles" } },
      yaxis: { range: [length, 0], showgrid: false, zeroline: false, tickvals: places, ticktext: labels },
    },
  };
}
