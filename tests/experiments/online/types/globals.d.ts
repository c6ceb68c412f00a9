/** What the modules meet that the browser's own types do not name. */

declare var jatos: { urlQueryParameters?: Record<string, string>; onLoad(go: () => void): void; submitResultData(data: string): Promise<void>; endStudyWithoutRedirect?(): Promise<void> } | undefined;
declare var jspsych: any;
declare var WORKER_ADDRESS: () => string;
