// The inspector: what its filter says and what is chosen go to Python and stay in the address; answers fill the panes.
const SILENT = '<div class="problem" role="alert">The inspector does not answer. Is it still running? Its terminal may say why.</div>';
const pane = (id) => element.querySelector(`#${id}`);

const show = (name) => {
  document.body.dataset.tab = name;
  element.querySelectorAll("[data-tab]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.tab === name)));
};

const browse = (form) => {
  const { read } = element.querySelector("[data-read]").dataset;
  const chosen = { first: 0, row: null, whole: false };
  let listed = false, busy = false, again = false, waiting = 0;

  const said = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const remember = () => {
    const state = new URLSearchParams(said());
    if (chosen.first) state.set("first", chosen.first);
    if (chosen.row !== null) state.set("row", chosen.row);
    history.replaceState(null, "", `#${state}`);
  };
  const select = () => element.querySelectorAll("#listing [data-row]").forEach((one) => {
    const on = Number(one.dataset.row) === chosen.row;
    one.classList.toggle("on", on);
    one.setAttribute("aria-selected", String(on));
    one.tabIndex = on ? 0 : -1;
    if (on) one.scrollIntoView({ block: "nearest" });
  });
  const put = (answer) => {
    const focused = pane("group").contains(document.activeElement);
    for (const [id, html] of Object.entries(answer)) pane(id).innerHTML = html;
    pane("rollout").scrollTop = 0;
    const fellow = pane("group").querySelector(".on");
    const below = fellow && fellow.offsetTop + fellow.offsetHeight > pane("group").clientHeight;
    pane("group").scrollTop = below ? fellow.offsetTop - pane("group").clientHeight / 2 : 0;
    if (focused) fellow?.focus({ preventScroll: true });
    if (chosen.row !== null) select();
  };
  // one question at a time, and then the latest: answers cannot overtake each other, and none is dropped
  const ask = async (list) => {
    remember();
    listed ||= list;
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      const question = { ...said(), ...chosen, read, listed };
      again = listed = false;
      try {
        put(await server.find_rollouts(question));
      } catch {
        pane("rollout").innerHTML = SILENT;
      }
    }
    busy = false;
  };
  const choose = (row) => {
    Object.assign(chosen, { row, whole: false });
    select();
    ask(false);
  };
  const find = (first = 0) => {
    Object.assign(chosen, { first, row: null, whole: false });
    ask(true);
  };
  const changed = (wait) => {
    const { low, high } = form.elements.part.selectedOptions[0].dataset;
    Object.assign(form.elements.low, { placeholder: low });
    Object.assign(form.elements.high, { placeholder: high });
    clearTimeout(waiting);
    waiting = setTimeout(find, wait);
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => changed(event.target.matches("select, [type=checkbox]") ? 0 : 300));
  form.addEventListener("reset", () => setTimeout(changed));
  element.addEventListener("click", (event) => {
    const spot = event.target.closest("[data-row], [data-page], [data-whole]");
    if (!spot) return;
    if ("row" in spot.dataset) choose(Number(spot.dataset.row));
    else if ("page" in spot.dataset) find(Number(spot.dataset.page));
    else {
      Object.assign(chosen, { row: Number(spot.closest("[data-card]").dataset.card), whole: true });
      ask(false);
    }
  });
  document.addEventListener("keydown", (event) => {
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.tab !== "rollouts") return;
    const inList = event.target === document.body || event.target.closest("#listing, #group, #rollout");
    if (!inList || event.target.matches("input")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("#group, #rollout")) return; // there, arrows scroll
    const items = [...element.querySelectorAll("#listing [data-row]")];
    const next = items[items.findIndex((one) => one.classList.contains("on")) + step];
    if (!next) return;
    event.preventDefault();
    if (event.target.closest("#listing")) next.focus();
    choose(Number(next.dataset.row));
  });

  const address = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of address) {
    const field = form.elements[name];
    if (field?.type === "checkbox") field.checked = true;
    else if (field) field.value = value;
  }
  changed(0);
  clearTimeout(waiting);
  chosen.first = Number(address.get("first") ?? 0);
  chosen.row = address.has("row") ? Number(address.get("row")) : null;
  ask(true);
};

server.open_page({}).catch(() => null).then((page) => {
  element.innerHTML = page ?? SILENT;
  if (!page) return;
  const form = pane("filter");
  show(form ? "rollouts" : "overview");
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tab], [data-filters]");
    if (!button) return;
    if ("tab" in button.dataset) return show(button.dataset.tab);
    button.setAttribute("aria-expanded", String(form.classList.toggle("open")));
  });
  // the panes fill what the head leaves of the window
  const head = () => document.body.style.setProperty("--head", `${element.querySelector(".top").offsetHeight + (form?.offsetHeight ?? 0)}px`);
  new ResizeObserver(head).observe(form ?? element.querySelector(".top"));
  head();
  if (form) browse(form);
});
