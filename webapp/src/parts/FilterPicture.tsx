/** The weights of a filter of the first layer, channel by channel; zero is grey, blue below, orange above. */

import { divergingColors } from "../palette";
import { numberWords } from "../words";

const COLORS = divergingColors(101);
const SIDE = 84;

export function FilterPicture({ filter }: { filter: number[][][] }) {
  const most = Math.max(1e-12, ...filter.flat(2).map(Math.abs));
  return (
    <section>
      <h3>Filter</h3>
      <div class="filter">
        {filter.map((channel, number) => (
          <figure key={number}>
            <Channel channel={channel} most={most} />
            <figcaption>{filter.length > 1 ? `channel ${number}` : "weights"}</figcaption>
          </figure>
        ))}
      </div>
      <p class="hint">
        Blue −{numberWords(most)}, grey 0, orange {numberWords(most)}.
      </p>
    </section>
  );
}

function Channel({ channel, most }: { channel: number[][]; most: number }) {
  const width = channel[0]?.length ?? 0;
  return (
    <svg
      viewBox={`0 0 ${width} ${channel.length}`}
      width={SIDE}
      height={SIDE}
      role="img"
      aria-label={`${channel.length} × ${width} weights: ${channel.map((line) => line.map(numberWords).join(", ")).join("; ")}`}
      shape-rendering="crispEdges"
    >
      {channel.flatMap((line, y) =>
        line.map((weight, x) => (
          <rect
            key={`${x} ${y}`}
            x={x}
            y={y}
            width={1}
            height={1}
            fill={COLORS[Math.round(50 + (50 * weight) / most)]}
          />
        )),
      )}
    </svg>
  );
}
