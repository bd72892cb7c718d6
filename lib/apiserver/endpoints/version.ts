/** `/version`: which Kubernetes API this is. Counterpart: apimachinery `version.Info`. */
export const GIT_VERSION = "v1.36.0";

export const versionInfo = {
  major: "1", minor: "36", emulationMajor: "1", emulationMinor: "36", minCompatibilityMajor: "1", minCompatibilityMinor: "35",
  gitVersion: GIT_VERSION, gitCommit: "", gitTreeState: "clean", buildDate: "1970-01-01T00:00:00Z", goVersion: `node${process.versions.node}`, compiler: "node", platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
} as const;
