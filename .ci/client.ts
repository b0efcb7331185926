// Uses the client that openapi-typescript generates. `.ci/run clients` checks its types; nothing runs it.
import createClient from "openapi-fetch";
import type { components, paths } from "./steward.js";

type Expense = components["schemas"]["Expense"];
type SyncRequest = components["schemas"]["SyncRequest"];

const token = "stw_s_…";
const client = createClient<paths, "application/json">({
  baseUrl: "/",
  headers: { Authorization: `Bearer ${token}` },
  // Several values of a filter are separated by commas.
  querySerializer: { array: { style: "form", explode: false } },
});

export async function spend(organization_id: string): Promise<Expense> {
  const { data, error } = await client.POST("/v1/organizations/{organization_id}/expenses", {
    params: { path: { organization_id }, header: { "Idempotency-Key": "once" } },
    body: { amount_minor: 1250, spent_on: "2026-11-16", merchant: "Subway" },
  });
  if (error) throw new Error(error.code);
  return data;
}

export async function annotate(organization_id: string, expense: Expense): Promise<number> {
  const path = { organization_id, expense_id: expense.id };
  const { data, error } = await client.PATCH("/v1/organizations/{organization_id}/expenses/{expense_id}", {
    params: { path },
    body: { version: expense.version, note: "Lunch" },
  });
  return data?.version ?? error?.current?.version ?? 0;
}

export async function total(organization_id: string): Promise<number> {
  const { data } = await client.GET("/v1/organizations/{organization_id}/expenses", {
    params: { path: { organization_id }, query: { limit: 500, status: ["approved", "reimbursed"] } },
  });
  return (data?.items ?? []).reduce((sum, item) => sum + item.amount_minor, 0);
}

export async function versions(organization_id: string, changes: SyncRequest): Promise<number[]> {
  const { data } = await client.POST("/v1/organizations/{organization_id}/sync", {
    params: { path: { organization_id } },
    body: changes,
  });
  return (data?.results ?? []).map((result) => {
    switch (result.status) {
      case "applied":
        return result.version;
      case "conflict":
        return result.current_version;
      default:
        throw new Error(result.code);
    }
  });
}
