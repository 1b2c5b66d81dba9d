"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Sorting: by the raw value of the CSV, numbers as numbers, absent cells last.
  const raw = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent;
  const isNumber = (text) => text !== "" && Number.isFinite(Number(text));
  for (const head of all("th button")) {
    head.addEventListener("click", () => {
      const th = head.closest("th");
      const table = th.closest("table");
      const column = th.cellIndex;
      const descending = th.getAttribute("aria-sort") ? th.getAttribute("aria-sort") === "ascending" : th.classList.contains("n");
      for (const other of th.parentNode.cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => {
        const x = raw(a, column), y = raw(b, column);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNumber(x) && isNumber(y) ? Number(x) - Number(y) : x.localeCompare(y, "en");
        return descending ? -order : order;
      });
      body.append(...rows);
      table.classList.add("all");
      table.closest("section").querySelector(`[data-more="${table.id}"]`)?.remove();
    });
  }
  for (const button of all("[data-more]")) {
    button.addEventListener("click", () => {
      document.getElementById(button.dataset.more).classList.add("all");
      button.remove();
    });
  }
  for (const button of all("[data-csv]")) {
    button.addEventListener("click", () => {
      const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const rows = [...document.getElementById(button.dataset.csv).rows];
      const text = rows.map((row) => [...row.cells].map((cell) => quote(cell.dataset.v ?? cell.textContent)).join(",")).join("\n");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "text/csv" }));
      link.download = button.dataset.csv + ".csv";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  // Filter: what belongs to another configuration or protocol only is hidden.
  const filter = () => {
    const shown = new Set(all("input[name=config]:checked").map((box) => box.value));
    const proto = document.querySelector("#proto")?.value ?? "";
    for (const element of all("[data-config]")) element.classList.toggle("hidden", !shown.has(element.dataset.config));
    for (const element of all("[data-proto]")) element.classList.toggle("filtered", proto !== "" && element.dataset.proto !== proto);
  };
  for (const input of all("input[name=config], #proto")) input.addEventListener("change", filter);

  // Theme: the system's, until the reader chooses.
  const theme = document.querySelector("#theme");
  theme?.addEventListener("change", () => {
    if (theme.value) document.documentElement.dataset.theme = theme.value;
    else delete document.documentElement.dataset.theme;
  });

  // What a mark means, beside the pointer at once; the title element says the same to those without one.
  const tip = document.getElementById("tip");
  let title = null;
  const leave = () => {
    if (title) title.mark.prepend(title.element);
    title = null;
    tip.hidden = true;
  };
  for (const svg of all("figure svg")) {
    svg.addEventListener("pointerover", (event) => {
      leave();
      const element = event.target !== svg && event.target.querySelector(":scope > title");
      if (!element) return;
      title = { mark: event.target, element };
      tip.textContent = element.textContent;
      // Taken out while it shows, or the browser would show it a second time.
      element.remove();
      tip.hidden = false;
    });
    svg.addEventListener("pointermove", (event) => {
      const width = tip.offsetWidth;
      tip.style.left = Math.min(event.clientX + 12, window.innerWidth - width - 8) + "px";
      tip.style.top = Math.max(4, event.clientY - 34) + "px";
    });
    svg.addEventListener("pointerleave", leave);
  }

  // On paper ink is dark on a light ground.
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    if (before) document.documentElement.dataset.theme = before;
    else delete document.documentElement.dataset.theme;
  });
})();
