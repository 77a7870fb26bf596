/** The few signs of the page, drawn with lines that take the colour of the words beside them. */

const PATHS = {
  close: "M4 4l8 8M12 4l-8 8",
  play: "M5 3.2v9.6l7.6-4.8z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  back: "M10 3.5L5.5 8l4.5 4.5",
  next: "M6 3.5L10.5 8 6 12.5",
  down: "M4 6l4 4 4-4",
  pan: "M8 2v12M2 8h12M8 2L6.2 3.8M8 2l1.8 1.8M8 14l-1.8-1.8M8 14l1.8-1.8M2 8l1.8-1.8M2 8l1.8 1.8M14 8l-1.8-1.8M14 8l-1.8 1.8",
  lasso:
    "M6 10.6C3.600 10.200 2 8.900 2 7.200 2 4.900 4.700 3 8 3s6 1.900 6 4.200-2.700 4.200-6 4.200c-.7 0-1.400-.1-2-.2zM6 10.600c.8.4 1 1.200.6 1.900-.3.600-1 .9-1.600 1",
  box: "M3 3h10v10H3z",
  fit: "M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10",
  light:
    "M8 5.200a2.800 2.800 0 100 5.600 2.800 2.800 0 000-5.600zM8 1v1.600M8 13.400V15M1 8h1.600M13.400 8H15M3.050 3.050l1.130 1.130M11.820 11.820l1.130 1.130M3.050 12.950l1.130-1.130M11.820 4.180l1.130-1.130",
  dark: "M13.500 9.600A5.800 5.800 0 016.400 2.500 5.800 5.800 0 108 13.900a5.800 5.800 0 005.500-4.300z",
  search: "M7 2.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9zM10.300 10.300l3.400 3.400",
  plus: "M8 3v10M3 8h10",
  link: "M6.800 9.200a2.600 2.600 0 003.700 0l2.400-2.400a2.600 2.600 0 00-3.700-3.700l-.9.9M9.200 6.800a2.600 2.600 0 00-3.700 0L3.100 9.200a2.600 2.600 0 003.700 3.700l.9-.9",
  copy: "M5.500 5.500V3h7.500v7.500h-2.500M3 5.500h7.500V13H3z",
  download: "M8 2.500v7.500M4.800 7L8 10.200 11.200 7M3 13.200h10",
  picture: "M2.500 3h11v10h-11zM2.500 11l3.500-3.500 2.500 2.500 1.800-1.800 3.200 3.200M10.600 5.600h.01",
  columns: "M3 3h10v10H3zM6.400 3v10M9.700 3v10",
};

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill={name === "play" ? "currentColor" : "none"}
        stroke="currentColor"
        stroke-width="1.4"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
