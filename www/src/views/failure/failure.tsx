// Why a view has no new answer. What is wrong with the query is told in the bar, under its characters.
import { ApiError } from "../../lib/api";
import "./failure.css";

export function Failure({ error }: { error: Error | null }) {
  if (!error || (error instanceof ApiError && error.problem.position !== undefined)) return null;
  return <div class="failure" role="alert">{error.message}</div>;
}
