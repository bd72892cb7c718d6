/**
 * Expands `$(NAME)` in commands, arguments and variables; `$$` is a dollar, an unknown name stays as written. `onEmpty` is told names that
 * have no value or an empty one. Counterpart: kubernetes `third_party/forked/golang/expansion`.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>, onEmpty?: (name: string) => void): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, follow: string, name: string) => {
    if (follow === "$") return "$";
    const value = variables.get(name);
    if (value === undefined || value === "") onEmpty?.(name);
    return value ?? whole;
  });
}
