const modes = ["auto", "light", "dark"], button = document.getElementById("theme"), root = document.documentElement;
let mode = "auto";
try { mode = localStorage.getItem("zerosum-theme") || "auto" } catch { /* a file opened without storage */ }
function show() {
  if (mode === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = mode;
  button.textContent = { auto: "◐ auto", light: "○ light", dark: "● dark" }[mode];
  button.setAttribute("aria-label", "colours: " + mode + "; press to change");
}
button.hidden = false;
button.addEventListener("click", () => {
  mode = modes[(modes.indexOf(mode) + 1) % 3];
  try { localStorage.setItem("zerosum-theme", mode) } catch { /* likewise */ }
  show();
});
show();
