export default { files: ["test/vm/**/*.test.ts"], extensions: ["ts"], timeout: "40m", concurrency: 1, serial: true, nodeArguments: ["--no-warnings"] };
