// From the speedup that BOPs promise to the simulated one, one bar per step.
function showWaterfall(section, run) {
  if (run.waterfall === null) return section.append(missing(run.missing.waterfall));
  const steps = run.waterfall.waterfall;
  const element = figure("Waterfall from published BOPs to simulated cycles; the numbers are in the table below");
  section.append(
    make("p", { class: "quiet" }, `Against ${run.waterfall.against}. Each bar is the speedup's change by one effect of the machine; the line in it: the same step in the reverse order.`),
    element, stepTable(steps));
  chart(element, (colours) => waterfallChart(steps, colours));
}

function waterfallChart(steps, colours) {
  const last = steps[steps.length - 1];
  const names = [...steps.map((step) => `${step.step} ${plain(step.name)}`), "simulated"];
  const starts = steps.map((step, place) => (place ? steps[place - 1].speedup : 1));
  const bars = [steps[0].speedup - 1, ...steps.slice(1).map((step) => step.bar), last.speedup - 1];
  const shades = bars.map((bar, place) => (place === 0 ? "#999999" : place === steps.length ? DATA.colours.arrived : bar < 0 ? DATA.colours.loss : DATA.colours.gain));
  const labels = bars.map((bar, place) => (place === 0 || place === steps.length ? `${(1 + bar).toFixed(3)}x` : signed(bar)));
  const helps = [...steps.map((step) => `${plain(step.adds)}<br>cycles: ${number(step.cycles_against)} against, ${number(step.cycles)}`), "the run"];
  const turned = bars.map((bar, place) => (place && place < steps.length ? steps[place].bar_reverse : 0));
  const ends = bars.map((bar, place) => [...starts, 1][place] + Math.max(bar, turned[place], 0));
  const least = Math.min(...bars.map((bar, place) => [...starts, 1][place] + Math.min(bar, turned[place], 0)));
  const span = Math.max(...ends) - least;
  const reverse = steps.slice(1).flatMap((step, place) => [[starts[place + 1], names[place + 1]], [starts[place + 1] + step.bar_reverse, names[place + 1]], [null, null]]);
  return {
    traces: [
      { type: "bar", orientation: "h", y: names, x: bars, base: [...starts, 1], marker: { color: shades }, hovertext: helps, hoverinfo: "text", width: 0.65 },
      { type: "scatter", mode: "lines", x: reverse.map((one) => one[0]), y: reverse.map((one) => one[1]), line: { color: colours.text, width: 1.5 }, hoverinfo: "skip" },
      { type: "scatter", mode: "text", x: ends.map((end) => end + span * 0.01), y: names, text: labels, textposition: "middle right", hoverinfo: "skip", cliponaxis: false },
    ],
    layout: {
      height: 60 + 36 * names.length, showlegend: false,
      xaxis: { title: { text: "speedup (x)" }, range: [least - span * 0.05, Math.max(...ends) + span * (narrow() ? 0.3 : 0.12)] },
      yaxis: { autorange: "reversed", type: "category", showgrid: false },
      shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: colours.text, width: 1 } }],
    },
  };
}

function stepTable(steps) {
  const columns = [
    { text: "step", left: true }, { text: "adds", left: true, fold: true }, { text: "cycles against" }, { text: "cycles" },
    { text: "speedup" }, { text: "bar" }, { text: "bar in either order" },
  ];
  const rows = steps.map((step) => [
    `${step.step} ${step.name}`, step.adds, number(step.cycles_against), number(step.cycles), `${step.speedup.toFixed(3)}x`,
    step.step ? signed(step.bar) : "", step.step ? `${signed(step.bar_low)} to ${signed(step.bar_high)}` : "",
  ]);
  return make("details", {}, make("summary", {}, "The steps as a table"), plainTable(columns, rows, "steps of the waterfall"));
}

function signed(value) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
}
