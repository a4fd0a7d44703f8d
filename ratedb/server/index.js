"use strict";
// Hide the systems that do not have what is searched for while it is typed. Without a script the form asks the server.
(() => {
  const field = document.getElementById("search"), nothing = document.getElementById("nothing");
  const rows = [...document.querySelectorAll("tr[data-name]")];
  const count = document.getElementById("count"), every = count.textContent.split(" of ")[1];
  const asked = field.value;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const name = row.dataset.name.toLowerCase(), here = words.every((word) => name.includes(word));
      row.hidden = !here;
      shown += here ? 1 : 0;
    }
    nothing.hidden = shown > 0;
    count.textContent = `${shown} of ${every}`;
  });
  // The rows of a search are not all: another one needs the server, or the whole list.
  if (asked === "") field.form.addEventListener("submit", (event) => event.preventDefault());
  document.documentElement.dataset.ready = "yes";
})();
