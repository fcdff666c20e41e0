package main

import "slices"

// mutants has the rules by their numbers in spec/delegation.md, V for the verifier
// and A for whoever attenuates, in a file for each part of the code. Rules that two
// places enforce are not here: taking one place out changes nothing.
var mutants = slices.Concat(
	coreMutants,
	caveatMutants,
	approvalsMutants,
	wireMutants,
	keyMutants,
	trustMutants,
	propertyMutants,
	memoryMutants,
	keysMutants,
	explainMutants,
	stateMutants,
	surroundingsMutants,
	httpauthMutants,
	agentMutants,
	grpcMutants,
	envoyMutants,
	shownMutants,
	gatewayMutants,
	pageMutants,
	mcpMutants,
	speedMutants,
	poolMutants,
)
