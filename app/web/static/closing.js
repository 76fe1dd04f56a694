// Who is still here at the close of day: fetched again as the hall changes, and every twenty seconds while the line is down.
import { connect, redraw } from "./live.js";

const now = document.getElementById("now");
let timer = null;
function soon() {
  timer ??= setTimeout(() => {
    timer = null;
    redraw(now.dataset.address, now);
  }, 1000);
}
connect("/staff", { hall: now.dataset.hall }, { changed: soon }, { again: soon });
