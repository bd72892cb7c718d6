/** Expands `$(NAME)` in commands, arguments and variables; `$$` is a dollar, an unknown name stays as written. Pure. Counterpart: kubernetes `third_party/forked/golang/expansion`. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, follow: string, name: string | undefined) => (follow === "$" ? "$" : variables.get(name!) ?? whole));
}
