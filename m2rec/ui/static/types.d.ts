// What the page's scripts share, for TypeScript's checker alone: nothing here runs.

export type BranchName = "temporal" | "frequency" | "semantic";
export type Shares = Record<BranchName, number>;

/** What the visitor has chosen: `State` in m2rec/ui. */
export interface State {
  world: string;
  history: string[];
  k: number;
  exclude_seen: boolean;
  gate_override: Shares | null;
  band_mask: [number, number][];
  period: number | null;
  fold: number | null;
  compare: string | null;
  lesson: string | null;
  lesson_step: number;
  lesson_mark: number | null;
  theme: "auto" | "light" | "dark";
}

export interface Session {
  state: State;
  undo: string[];
  redo: string[];
}

/** One of Plotly's figures. */
export interface Figure {
  data: Record<string, any>[];
  layout: Record<string, any>;
}

/** An item that can be among the first under some gate, and its probability under each branch alone. */
export interface Candidate {
  item_id: string;
  title: string;
  group: string;
  branches: Shares;
}

/** Everything that the page shows, as the server sends it. */
export interface View {
  session: Session;
  link: string;
  theme: "auto" | "light" | "dark";
  html: Record<string, string>;
  figures: Record<string, Figure | null>;
  gates: Shares;
  candidates: Candidate[];
  ranking: string[];
  unread: number;
  /** Shortest and longest period at which the marker may be put, while a lesson asks for it. */
  asked: [number, number] | null;
  notice?: string;
}

export interface Hit {
  item_id: string;
  title: string;
  group: string;
}

export interface SavedFile {
  name: string;
  media_type: string;
  text: string;
}

/** A kind of evidence or a cause, and whether it was the right one, where that is known. */
export interface Because {
  look: string;
  mark: string;
  text: string;
  right: boolean | null;
}

/** One day of a history that is played: `Played` in m2rec/ui/panels/days.py. */
export interface PlayedDay {
  read: number;
  words: string;
  guesses: { title: string; share: string; parts: number[]; came: boolean }[];
  came: string | null;
  outcome: string;
  verdict: string;
  gate: Because;
  cause: Because | null;
  oracle: Because | null;
  scores: { text: string; width: number }[];
}

/** What the server answers; each call fills some of it. */
export type Reply = Partial<View> & { error?: string; hits?: Hit[]; file?: SavedFile; series?: PlayedDay[] };

/** An element that Plotly has drawn into. */
export interface Plot extends HTMLElement {
  on(event: string, listener: (event: any) => void): void;
  _fullLayout?: any;
}

export interface PlotlyLibrary {
  react(plot: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<Plot>;
  relayout(plot: HTMLElement, changes: Record<string, unknown>): Promise<void>;
  downloadImage(figure: unknown, options: unknown): Promise<string>;
  Plots: { resize(plot: HTMLElement): void };
}

declare global {
  interface Window {
    Plotly?: PlotlyLibrary;
  }
}
