// Shows the OpenAPI document of the service in the path: /docs/matching. Without one: the registry.
"use strict";

const service = window.location.pathname.split("/")[2] || "registry";
const link = document.querySelector(`nav a[href="/docs/${service}"]`);
if (link) {
  link.setAttribute("aria-current", "page");
}
window.SwaggerUIBundle({
  url: `/docs/openapi/${service}.json`,
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // The default sends the address of the document to a validator on the internet.
  validatorUrl: null,
});
