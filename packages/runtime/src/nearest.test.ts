// Guesses at mistyped flags.

import assert from "node:assert";
import { test } from "node:test";
import { nearestWord } from "./nearest.ts";

const known = ["--pool", "--source", "--state-dir", "--listen-rest", "--name"];

const cases = [
  { word: "--pol", want: "--pool" },
  { word: "--pools", want: "--pool" },
  { word: "--sorce", want: "--source" },
  { word: "--statedir", want: "--state-dir" },
  { word: "--listen_rest", want: "--listen-rest" },
  { word: "--kubeconfig", want: undefined },
  { word: "", want: undefined },
  { word: "x".repeat(100_000), want: undefined },
] as const;

for (const c of cases) {
  test(`${c.word.slice(0, 20)} is ${c.want ?? "nothing known"}`, () => {
    assert.equal(nearestWord(c.word, known), c.want);
  });
}
