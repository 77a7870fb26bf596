/** One unit: its filter, the images that excite it most, their classes. */

import { openStory, sayCopied } from "../actions";
import { copy } from "../csv";
import { rowOfId } from "../derived";
import { classPalette } from "../coloring";
import type { TapUnits, Unit } from "../payload";
import { address, go, linkTo, manifest } from "../state";
import { countWords, numberWords, percentWords } from "../words";
import { FilterPicture } from "./FilterPicture";
import { Icon } from "./icons";
import { PanelTitle } from "./PanelTitle";
import { Picture } from "./Picture";
import { keptWords, stateWords } from "./Units";

export function UnitPage() {
  const { unitTap, unit: number } = address.value;
  const tap = manifest.units.find((one) => one.tap === unitTap);
  const unit = tap?.units.find((one) => one.unit === number);
  return (
    <section class="panel unit-page" aria-label={`Unit ${number} of ${unitTap}`} data-unit={number}>
      <Head tap={unitTap} unit={number!} />
      <div class="panel-body" tabIndex={0}>
        {unit ? (
          <Body tap={tap!} unit={unit} />
        ) : (
          <p>
            This run tells nothing of unit {number} of {unitTap}.
          </p>
        )}
      </div>
    </section>
  );
}

function Head({ tap, unit }: { tap: string; unit: number }) {
  const share = async () => sayCopied(await copy(linkTo({})));
  return (
    <header class="panel-head">
      <PanelTitle of={`${tap} ${unit}`}>
        {tap}, unit {unit}
      </PanelTitle>
      <button class="button square" aria-label="Copy a link to this" title="Copy link" onClick={share}>
        <Icon name="link" />
      </button>
      <button class="button square" aria-label="Close the unit" title="Close (Esc)" onClick={() => go({ unit: null })}>
        <Icon name="close" />
      </button>
    </header>
  );
}

function Body({ tap, unit }: { tap: TapUnits; unit: Unit }) {
  return (
    <>
      <dl class="pairs">
        <dt>Fires at</dt>
        <dd>{percentWords(unit.fires)} of the images</dd>
        <dt>Selectivity</dt>
        <dd>{unit.selectivity === null ? "not known" : numberWords(unit.selectivity)}</dd>
        <dt>Excited most by</dt>
        <dd>{unit.dead ? "nothing" : manifest.classes[unit.excited_by]}</dd>
        {stateWords(unit) && (
          <>
            <dt>State</dt>
            <dd>
              <span class="badge state">{stateWords(unit)}</span>
            </dd>
          </>
        )}
      </dl>
      {unit.filter && <FilterPicture filter={unit.filter} />}
      <Strongest tap={tap} unit={unit} />
      {unit.histogram && <Classes counts={unit.histogram} />}
    </>
  );
}

function Strongest({ tap, unit }: { tap: TapUnits; unit: Unit }) {
  return (
    <section>
      <h3>The images that excite it most</h3>
      {unit.shown.length === 0 && <p class="quiet">{keptWords(tap, unit)}</p>}
      <ul class="strongest-images">
        {unit.shown.map((place, rank) => (
          <Strong key={place} unit={unit} rank={rank} place={place} />
        ))}
      </ul>
    </section>
  );
}

function Strong({ unit, rank, place }: { unit: Unit; rank: number; place: number }) {
  const id = unit.ids[rank];
  const row = rowOfId(id);
  const name = manifest.classes[unit.labels[rank]] ?? "";
  const shown = (
    <>
      <Picture of={manifest.unit_pictures} place={place} size={72} row={row ?? undefined} />
      <span class="name">{name}</span>
      <span class="quiet">{numberWords(unit.values[rank])}</span>
      <span class="unseen">{id}</span>
    </>
  );
  const words = `${id}: ${name}, ${numberWords(unit.values[rank])}`;
  return (
    <li>
      {row === null ? (
        <span class="strong" title={`${words}; not among the examples`}>
          {shown}
        </span>
      ) : (
        <button class="strong" title={words} onClick={() => openStory(row)}>
          {shown}
        </button>
      )}
    </li>
  );
}

function Classes({ counts }: { counts: number[] }) {
  const most = Math.max(1, ...counts);
  const order = counts.map((_, place) => place).filter((place) => counts[place] > 0);
  order.sort((a, b) => counts[b] - counts[a]);
  return (
    <section>
      <h3>Their classes</h3>
      <ol class="class-bars">
        {order.map((place) => (
          <li key={place}>
            <span class="name">{manifest.classes[place]}</span>
            <span class="bar-of" style={`--share:${counts[place] / most};--color:${classPalette.value[place]}`} />
            <span class="share">{countWords(counts[place])}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
