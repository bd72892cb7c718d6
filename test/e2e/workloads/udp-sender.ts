/** A program: sends a datagram to ADDRESS PORT every 50 ms from one socket, whatever errors that brings, and prints every answer. */
import { createSocket } from "node:dgram";

const [address, port] = process.argv.slice(2);
const socket = createSocket("udp4");
socket.on("message", (answer) => process.stdout.write(answer));
socket.bind(0, () => setInterval(() => socket.send("ping\n", Number(port), address, () => undefined), 50)); // A refusal is an error of `send`; the next may go through.
