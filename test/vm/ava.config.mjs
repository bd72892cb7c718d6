// A failed test leaves the machines in a state that the next ones do not know.
export default { files: ["test/vm/**/*.test.ts"], extensions: ["ts"], timeout: "40m", concurrency: 1, serial: true, failFast: true, nodeArguments: ["--no-warnings"] };
