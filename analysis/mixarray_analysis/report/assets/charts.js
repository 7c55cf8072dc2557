// Charts that follow the theme: each is kept with the function that describes it.
const charts = new Map();

// Draw into `element`; `describe` gives traces and layout from the colours of the theme.
function chart(element, describe) {
  charts.set(element, describe);
  draw(element);
}

function drawAll() {
  charts.forEach((_, element) => draw(element));
}

function forget(part) {
  charts.forEach((_, element) => part.contains(element) && charts.delete(element));
}

function draw(element) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const { traces, layout } = charts.get(element)({ text: colour("text"), line: colour("line"), quiet: colour("quiet"), card: colour("card") });
  const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true };
  const axes = Object.fromEntries(
    Object.keys({ xaxis: 0, yaxis: 0, ...layout }).filter((key) => /^[xy]axis/.test(key))
      .map((key) => [key, { ...axis, ...layout[key] }]),
  );
  const common = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, DejaVu Sans, sans-serif", size: narrow() ? 11 : 13, color: colour("text") },
    margin: { l: 10, r: 14, t: 10, b: 40 },
    hoverlabel: { align: "left" },
    ...layout,
    ...axes,
  };
  Plotly.react(element, traces, common, { displayModeBar: false, responsive: true });
}

function narrow() {
  return window.innerWidth < 700;
}

// Plotly reads some markup in its texts; texts of the data are no markup.
function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// A colour of the series palette; its black would vanish on a dark page.
function seriesColour(place, colours) {
  const found = DATA.colours.series[place % DATA.colours.series.length];
  return found === "#000000" ? colours.text : found;
}

function figure(label) {
  return make("div", { class: "chart", role: "img", "aria-label": label });
}

// Words on lines of at most `most` characters, as HTML; longer words are cut into lines.
function onLines(text, most = 20) {
  const words = text.split(" ").flatMap((word) => word.match(new RegExp(`.{1,${most}}`, "gu")) ?? []);
  const lines = words.reduce((found, word) => {
    const last = found[found.length - 1];
    return last !== undefined && `${last} ${word}`.length <= most ? [...found.slice(0, -1), `${last} ${word}`] : [...found, word];
  }, []);
  return lines.map(plain).join("<br>");
}
