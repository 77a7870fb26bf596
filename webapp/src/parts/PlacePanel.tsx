/** A new image: what the network makes of it, tap by tap. */

import { classPalette } from "../coloring";
import { manifest } from "../state";
import { confidenceWords } from "../words";
import { Icon } from "./icons";
import { TapList } from "./TapList";
import { PanelTitle } from "./PanelTitle";
import { placeAgain, placed } from "./placing";
import { Votes } from "./Votes";
import type { Placed } from "../payload";

export function PlacePanel() {
  const { name, answer, fault } = placed.value!;
  return (
    <section
      class="story panel"
      aria-label={`The new image ${name}`}
      data-placed={answer ? "ready" : fault ? "failed" : "waiting"}
    >
      <header class="panel-head">
        <PanelTitle of={name} hint={name}>
          {name}
        </PanelTitle>
        <span class="quiet">new image</span>
        <button
          class="button square"
          aria-label="Close the new image"
          title="Close (Esc)"
          onClick={() => (placed.value = null)}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="panel-body" tabIndex={0}>
        {!answer && !fault && <p class="quiet">The network looks at it …</p>}
        {fault && (
          <div class="fault" role="alert">
            <p>{fault.words}</p>
            <p>{fault.remedy}</p>
            <button class="button" onClick={placeAgain}>
              Try again
            </button>
          </div>
        )}
        {answer && <Answer of={answer} />}
      </div>
    </section>
  );
}

function Answer({ of }: { of: Placed }) {
  // Nobody knows a new image's label: where the run compares with labels, the network's answer stands for it.
  const called = manifest.reference === "the label" ? "the network's answer" : manifest.reference;
  return (
    <>
      <div class="summary">
        <img class="picture large" src={of.picture} alt="The new image as the network sees it" />
        <Probabilities of={of.probabilities} />
      </div>
      <section>
        <h3>Tap by tap</h3>
        <Votes votes={of.votes} depth={of.depth} reference={of.reference} called={called} />
        <TapList
          votes={of.votes}
          depth={of.depth}
          reference={of.reference}
          called={called}
          neighbors={of.neighbors.map((rows) => Uint32Array.from(rows.slice(0, manifest.neighbors?.count)))}
        />
      </section>
      {of.exit && <Exit exit={of.exit} />}
      <p class="hint">A new image is not part of the link to this page.</p>
    </>
  );
}

const LIKELY = 5;

function Probabilities({ of }: { of: number[] }) {
  const order = of.map((_, place) => place).sort((a, b) => of[b] - of[a]);
  return (
    <ol class="class-bars" aria-label="Probabilities">
      {order.slice(0, LIKELY).map((place) => (
        <li key={place}>
          <span class="name" title={manifest.classes[place]}>
            {manifest.classes[place]}
          </span>
          <span class="bar-of" style={`--share:${of[place]};--color:${classPalette.value[place]}`} />
          <span class="share">{confidenceWords(of[place])}</span>
        </li>
      ))}
    </ol>
  );
}

function Exit({ exit }: { exit: NonNullable<Placed["exit"]> }) {
  const names = manifest.exits?.names ?? [];
  return (
    <section>
      <h3>Exits</h3>
      <ol class="exits">
        {exit.confidence.map((share, place) => (
          <li key={place} class={names[place] === exit.name ? "taken" : ""}>
            <span class="name">{names[place] ?? place}</span>
            <span class="bar-of" style={`--share:${share}`} />
            <span class="share">{confidenceWords(share)}</span>
            <span class="note">{names[place] === exit.name ? "leaves here" : ""}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
