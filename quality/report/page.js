"use strict";
// Tables sort by their headings and filter by what is typed; without this script they are only long.
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.key ?? cell.textContent.trim();
    return text !== "" && !isNaN(text) ? Number(text) : text;
  };
  for (const [column, heading] of Array.from(table.tHead.rows[0].cells).entries()) {
    const button = heading.querySelector("button");
    if (button === null) continue;
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = Array.from(body.rows);
      rows.sort((a, b) => {
        const x = key(a, column), y = key(b, column);
        const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
        return down ? -order : order;
      });
      body.append(...rows);
    });
  }
}
for (const controls of document.querySelectorAll(".controls")) {
  const table = document.getElementById(controls.dataset.table);
  const text = controls.querySelector("input"), severity = controls.querySelector("select");
  const count = controls.querySelector("output");
  const filter = () => {
    const wanted = text.value.toLowerCase();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const fits = (severity.value === "" || severity.value.split(" ").includes(row.dataset.severity)) &&
        row.textContent.toLowerCase().includes(wanted);
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = shown + " shown";
  };
  text.addEventListener("input", filter);
  severity.addEventListener("change", filter);
  controls.hidden = false;
  filter();
}
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
