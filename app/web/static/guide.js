// The guide desk: the queues are looked at again whenever the hall changes.
import { connect } from "./live.js";

const queues = document.getElementById("queues");
let soon = 0;
const look = () => {
  clearTimeout(soon); // a burst of changes is one look
  soon = setTimeout(() => window.htmx?.trigger(document.body, "changed"), 300);
};
connect("/staff", { hall: queues.dataset.hall }, { changed: look }, { again: look, every: 15 });
