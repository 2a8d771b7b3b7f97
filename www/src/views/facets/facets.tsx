// Values of fields with their counts, to include or exclude.
import { useEffect } from "preact/hooks";
import { facets, facetsError, facetsShown } from "../../state/aggregates";
import { Failure } from "../failure/failure";
import { FacetGroup } from "./facet";
import "./facets.css";

export function Facets() {
  useEffect(() => {
    facetsShown.value = true;
    return () => (facetsShown.value = false);
  }, []);
  return (
    <div class="facets">
      <Failure error={facetsError.value} />
      {facets.map((facet) => <FacetGroup key={facet.field} facet={facet} />)}
    </div>
  );
}
