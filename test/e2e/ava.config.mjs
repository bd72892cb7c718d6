export default { files: ["test/e2e/**/*.test.ts"], extensions: ["ts"], timeout: "10m", concurrency: 1, serial: true, nodeArguments: ["--no-warnings"] };
