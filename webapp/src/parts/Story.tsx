/** The story of one example: what it is, what the network made of it tap by tap, and how it stands among all. */

import { useEffect } from "preact/hooks";
import { closeStory, sayCopied, stepStory } from "../actions";
import { wordsAt } from "../columns";
import { copy } from "../csv";
import { field, idOf, listed, votes } from "../derived";
import { linkTo, manifest } from "../state";
import { isNarrow } from "../theme";
import { confidenceWords, countWords } from "../words";
import { ExitBars } from "./ExitBars";
import { FeatureMapsPart } from "./FeatureMapsPart";
import { Icon } from "./icons";
import { areHere, neighborsAt, TapList } from "./TapList";
import { PanelTitle } from "./PanelTitle";
import { Picture } from "./Picture";
import { Scores } from "./Scores";
import { Suspect, Verdict } from "./Verdict";
import { Votes } from "./Votes";

export function Story({ row }: { row: number }) {
  const own = votes.value?.subarray(row * manifest.taps.length, (row + 1) * manifest.taps.length);
  const neighbors = manifest.taps.map((_, tap) => neighborsAt(tap, row));
  const [depth, reference] = [field("depth")?.values[row], field("reference")?.values[row]];
  const ready = own !== undefined && depth !== undefined && areHere(row, neighbors);
  useEffect(() => (ready ? told() : undefined), [row, ready]);
  return (
    <section class="story panel" aria-label={`Story of ${idOf(row)}`} data-row={row} data-ready={ready} key="story">
      <Head row={row} />
      <div class="panel-body" tabIndex={0}>
        <Summary row={row} />
        <Suspect row={row} />
        {own && depth !== undefined && reference !== undefined && (
          <section>
            <h3>Tap by tap</h3>
            <Votes votes={own} depth={depth} reference={reference} />
            <TapList votes={own} depth={depth} reference={reference} neighbors={neighbors} />
          </section>
        )}
        <ExitBars row={row} />
        <Scores row={row} />
        {manifest.can.feature_maps && <FeatureMapsPart row={row} />}
      </div>
    </section>
  );
}

/** The story is complete: what benchmarks measure. */
function told(): void {
  if (performance.getEntriesByName("story-asked").length) performance.measure("story", "story-asked");
  performance.clearMarks("story-asked");
}

function Head({ row }: { row: number }) {
  const at = listed.value.indexOf(row);
  const share = async () => sayCopied(await copy(linkTo({ row })));
  return (
    <header class="panel-head">
      <PanelTitle of={row} hint={idOf(row)}>
        {idOf(row)}
      </PanelTitle>
      <span class="quiet">{at < 0 ? "not listed" : `${countWords(at + 1)} of ${countWords(listed.value.length)}`}</span>
      <button class="button square" aria-label="The example before" title="Before (k)" onClick={() => stepStory(-1)}>
        <Icon name="back" />
      </button>
      <button class="button square" aria-label="The next example" title="Next (j)" onClick={() => stepStory(1)}>
        <Icon name="next" />
      </button>
      <button class="button square" aria-label="Copy a link to this" title="Copy link" onClick={share}>
        <Icon name="link" />
      </button>
      <button class="button square" aria-label="Close the story" title="Close (Esc)" onClick={closeStory}>
        <Icon name="close" />
      </button>
    </header>
  );
}

function Summary({ row }: { row: number }) {
  const [label, prediction, confidence, correct] = ["label", "prediction", "confidence", "correct"].map(field);
  const right = correct?.values[row];
  const others = manifest.columns
    .filter(({ group, name }) => group === "example" && name !== "label")
    .map(({ name }) => field(name));
  return (
    <div class="summary">
      <Picture
        of={manifest.pictures}
        place={row}
        size={isNarrow() ? 104 : 144}
        words={`Picture of ${idOf(row)}`}
        row={row}
      />
      <dl>
        <dt>Label</dt>
        <dd>{label ? wordsAt(label, row) : "…"}</dd>
        <dt>Prediction</dt>
        <dd>
          {prediction ? wordsAt(prediction, row) : "…"} {right === 1 && <span class="badge right">✓ right</span>}
          {right === 0 && <span class="badge wrong">✕ wrong</span>}
        </dd>
        <dt>Confidence</dt>
        <dd>{confidence && <Confidence share={confidence.values[row]} />}</dd>
        {others.map(
          (one) =>
            one && (
              <>
                <dt>{one.column.title}</dt>
                <dd>{wordsAt(one, row)}</dd>
              </>
            ),
        )}
        <Verdict row={row} />
      </dl>
    </div>
  );
}

function Confidence({ share }: { share: number }) {
  if (Number.isNaN(share)) return <>not known</>;
  return (
    <span class="meter">
      <span class="bar-of" style={`--share:${share}`} />
      {confidenceWords(share)}
    </span>
  );
}
