/** Facts of the run, what it has not and which command makes it, how columns and colours are defined. */

import { RIGHT, WRONG } from "../palette";
import { manifest } from "../state";
import { columnChoices } from "./Choose";
import { AGAIN, Command } from "./Missing";
import { countWords, numberWords, shapeWords } from "../words";

export function About() {
  return (
    <div class="about-page" tabIndex={0} role="region" aria-label="About this run">
      <Missing />
      <section class="facts">
        {manifest.facts.map(({ title, lines }) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl class="pairs">
              {lines.map(([name, words]) => (
                <>
                  <dt>{name}</dt>
                  <dd>{words}</dd>
                </>
              ))}
            </dl>
          </section>
        ))}
      </section>
      <Taps />
      <Columns />
      <Colors />
    </div>
  );
}

function Missing() {
  if (!manifest.missing.length) return null;
  return (
    <section>
      <h2>What this run has not</h2>
      <p class="about">The page shows the run as it was when it was opened: after one of these commands, {AGAIN}.</p>
      <ul class="missing-list">
        {manifest.missing.map(({ part, words, command }) => (
          <li key={part}>
            <b>{part}</b>
            <span>{words}</span>
            {command && <Command command={command} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Taps() {
  const names = [...new Set(manifest.taps.flatMap(({ facts }) => Object.keys(facts)))];
  return (
    <section>
      <h2>Taps</h2>
      <p class="about">Places of the network that were read, in order of execution.</p>
      <div class="wide" tabIndex={0} role="region" aria-label="Taps">
        <table class="plain-table">
          <thead>
            <tr>
              {["Tap", "Shape"].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
              {["Features", ...names].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {manifest.taps.map(({ name, shape, features, facts }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{shapeWords(shape)}</td>
                <td class="number">{countWords(features)}</td>
                {names.map((fact) => (
                  <td key={fact} class="number">
                    {factWords(facts[fact])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function factWords(fact: number | string | undefined): string {
  if (fact === undefined) return "–";
  return typeof fact === "number" ? numberWords(fact) : fact;
}

function Columns() {
  return (
    <section>
      <h2>Columns</h2>
      <dl class="columns-list">
        {columnChoices().map(({ value, title, about }) => (
          <div key={value}>
            <dt>
              {title} <code>{value}</code>
            </dt>
            <dd>{about}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Colors() {
  return (
    <section>
      <h2>Colours</h2>
      <p>
        Classes: Okabe and Ito’s eight, up to ten Petroff’s, up to twenty these in two shades; of more classes the
        colours only group, and the names tell. Orders and numbers: viridis; numbers of both signs from blue over grey
        to orange, grey at zero. All can be told apart with colour-blindness. Right is{" "}
        <i class="swatch" style={`background:${RIGHT}`} /> and wrong <i class="swatch" style={`background:${WRONG}`} />{" "}
        with a cross. Not known is grey.
      </p>
      <p>
        The scatter plot of two columns: examples of the same value are strewn beside each other, always the same way;
        nothing is computed but their places.
      </p>
    </section>
  );
}
