/** Where the page begins: the manifest first, then the frame, then what the address asks for. */

import { render } from "preact";
import { App } from "./parts/App";
import { Fault, folderSource, serverSource } from "./source";
import { begin } from "./state";
import "./style/controls.css";
import "./style/parts.css";
import "./style/narrow.css";

const root = document.getElementById("app")!;
const source = document.documentElement.dataset.source === "folder" ? folderSource() : serverSource();

async function start(): Promise<void> {
  try {
    begin(await source.manifest(), source);
  } catch (fault) {
    root.replaceChildren();
    return render(<Closed fault={fault as Error} />, root);
  }
  root.replaceChildren();
  render(<App />, root);
}

function Closed({ fault }: { fault: Error }) {
  const again = () => {
    render(null, root);
    void start();
  };
  return (
    <main class="closed" role="alert">
      <h1>The run cannot be read</h1>
      <p>{fault instanceof Fault ? fault.words : `What came is no run of layerwise: ${fault.message}`}</p>
      <p>
        {fault instanceof Fault
          ? fault.remedy
          : "Open the address that layerwise explore prints, or write the folder again."}
      </p>
      <button class="button" onClick={again}>
        Try again
      </button>
    </main>
  );
}

void start();
