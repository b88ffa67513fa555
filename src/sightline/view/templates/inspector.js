// The head of the inspector: what its filter says goes to Python, what is chosen stays in the address.
const form = element.querySelector("#filter");
const tab = (name) => {
  document.body.dataset.tab = name;
  element.querySelectorAll("[data-tab]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.tab === name)));
};
tab(form ? "rollouts" : "overview");
// the lists fill what the head leaves of the window
new ResizeObserver(() => document.body.style.setProperty("--head", `${element.offsetHeight + 1}px`)).observe(element);
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tab]");
  if (button) tab(button.dataset.tab);
});

if (form) {
  let first = 0, row = null, waiting = 0;
  const said = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const remember = () => {
    const state = new URLSearchParams({ ...said(), ...(first ? { first } : {}), ...(row === null ? {} : { row }) });
    history.replaceState(null, "", `#${state}`);
  };
  const find = (kept = {}) => { remember(); trigger("find", { form: { ...said(), first, ...kept } }); };
  const choose = (number) => {
    row = number;
    remember();
    document.querySelectorAll("#listing [data-row]").forEach((one) => {
      const on = Number(one.dataset.row) === number;
      one.classList.toggle("on", on);
      one.setAttribute("aria-selected", String(on));
      if (on) one.scrollIntoView({ block: "nearest" });
    });
    document.querySelector("#rollout").scrollTop = 0;
    trigger("open", { row: number });
  };
  const placeholders = () => {
    const range = form.elements.part.selectedOptions[0].dataset;
    form.elements.low.placeholder = range.low;
    form.elements.high.placeholder = range.high;
  };
  const changed = (wait) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { first = 0; row = null; placeholders(); find(); }, wait);
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => changed(event.target.matches("select, [type=checkbox]") ? 0 : 300));
  form.addEventListener("reset", () => changed(0));
  document.addEventListener("click", (event) => {
    const spot = event.target.closest("#listing [data-row], #group [data-row], #listing [data-page]");
    if (!spot) return;
    if ("row" in spot.dataset) return choose(Number(spot.dataset.row));
    first = Number(spot.dataset.page);
    row = null;
    document.querySelector("#listing .items").scrollTop = 0;
    find();
  });
  document.addEventListener("keydown", (event) => {
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!step || event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = [...document.querySelectorAll("#listing [data-row]")];
    const next = items[items.findIndex((one) => one.classList.contains("on")) + step];
    if (!next) return;
    event.preventDefault();
    choose(Number(next.dataset.row));
  });

  new MutationObserver(() => document.querySelector("#listing .item.on")?.scrollIntoView({ block: "nearest" }))
    .observe(document.querySelector("#listing") ?? element, { childList: true, subtree: true });

  const address = new URLSearchParams(location.hash.slice(1));
  if ([...address].length) {
    for (const [name, value] of address) {
      const field = form.elements[name];
      if (field && field.type === "checkbox") field.checked = true;
      else if (field) field.value = value;
    }
    first = Number(address.get("first") || 0);
    row = address.has("row") ? Number(address.get("row")) : null;
    placeholders();
    find(row === null ? {} : { row });
  }
}
