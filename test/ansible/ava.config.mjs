export default { files: ["test/ansible/**/*.test.ts"], extensions: ["ts"], timeout: "5m", nodeArguments: ["--no-warnings"] };
