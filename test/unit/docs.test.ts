/** Documentation against code: what the pages claim is what the code says. */
import test from "ava";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { renderScope, SCOPE_FILE } from "../docs/scope.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

test("docs/SCOPE.md is what the definitions say", (t) => {
  t.is(readFileSync(SCOPE_FILE, "utf8"), renderScope());
});

test("docs/DIFFERENCES.md: every row ends in words that stand in the file it names", (t) => {
  const rows = read("docs/DIFFERENCES.md").split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what |"));
  t.true(rows.length > 40);
  for (const row of rows) {
    const [, claim, file] = /^\| [^|]+\| [^|]+\| [^|]+\| [^|]+\| `([^`]+)` in `([^`]+)` \|$/.exec(row) ?? [];
    t.truthy(claim, `in the form of a row: ${row}`);
    if (claim !== undefined) t.true(read(file!).includes(claim), `${file} contains ${claim}`);
  }
});

test("links in the documentation lead somewhere", (t) => {
  for (const page of ["README.md", ...readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".md")).map((f) => `docs/${f}`)]) {
    for (const [, target] of read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^https?:/.test(target!)) continue;
      t.true(existsSync(path.join(root, path.dirname(page), target!)), `${page} links to ${target}`);
    }
  }
});

test("every source file the documentation names exists", (t) => {
  for (const page of ["README.md", ...readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".md")).map((f) => `docs/${f}`)]) {
    for (const [, named] of read(page).matchAll(/`((?:lib|cmd|test)\/[\w./-]+\.(?:ts|sh|mjs|json))`/g)) t.true(existsSync(path.join(root, named!)), `${page} names ${named}`);
  }
});

test("README.md has every command of kaji a person types, and no other", (t) => {
  const help = execFileSync(process.execPath, ["--no-warnings", path.join(root, "cmd/kaji/main.ts"), "help"], { encoding: "utf8" });
  const offered = [...help.split("Usage:")[0]!.matchAll(/^  ([a-z]+) {2,}.+$/gm)].filter(([line]) => !/\((?:started|run) by (?:up|apply)\)/.test(line)).map((match) => match[1]!);
  const told = [...read("README.md").split("## Commands")[1]!.matchAll(/`kaji ([a-z]+)/g)].map((match) => match[1]!);
  t.deepEqual([...new Set(told)].toSorted(), offered.toSorted());
});

test("docs/decisions: every page is short, names context, choice and consequence, and is in the table", (t) => {
  const pages = readdirSync(path.join(root, "docs/decisions")).filter((file) => file !== "README.md"), table = read("docs/decisions/README.md");
  for (const page of pages) {
    const text = read(`docs/decisions/${page}`).trimEnd();
    t.regex(text, /^# .+\n\n\*\*Context\.\*\* .+\n\n\*\*Choice\.\*\* .+\n\n\*\*Consequence\.\*\* .+$/, page);
    t.true(text.split("\n").length <= 15, `${page} is short`);
    t.true(table.includes(`| ${page.slice(0, 4)} | [${text.slice(2, text.indexOf("\n"))}](${page}) |`), `${page} is in the table under its title`);
  }
});

test("every folder under lib says in a README of at most 20 lines what it is for", (t) => {
  for (const folder of readdirSync(path.join(root, "lib"))) {
    const file = `lib/${folder}/README.md`;
    t.true(existsSync(path.join(root, file)), `${file} exists`);
    t.true(read(file).trimEnd().split("\n").length <= 20, `${file} is short`);
  }
});

test("no source file is longer than 400 lines", (t) => {
  const long = ["lib", "cmd"].flatMap((top) => readdirSync(path.join(root, top), { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".ts") && !f.includes("generated")).map((f) => `${top}/${f}`))
    .filter((f) => read(f).split("\n").length > 400);
  t.deepEqual(long, []);
});
