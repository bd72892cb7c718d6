/** The admission plugins and write hooks a server has unless told otherwise. */
import type { ApiServerOptions } from "./server.ts";

export const defaultAdmission = (_options: object): ApiServerOptions["admission"] => () => [];
export const defaultHooks = (_options: object): ApiServerOptions["hooks"] => () => [];
