// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {GovernanceTest} from "test/contracts/governance/GovernanceTest.sol";

/// @dev The ids that programs compute off chain, from the vector that the SDK's tests read too.
contract IdsTest is GovernanceTest {
    function test_Ids_AreThoseOfTheVector() external view {
        string memory json = vm.readFile("test/vectors/governance.json");
        address[] memory targets = vm.parseJsonAddressArray(json, ".targets");
        uint256[] memory values = vm.parseJsonUintArray(json, ".values");
        bytes[] memory calls = vm.parseJsonBytesArray(json, ".calldatas");
        bytes32 hash = keccak256(bytes(vm.parseJsonString(json, ".description")));

        assertEq(gov.getProposalId(targets, values, calls, hash), vm.parseJsonUint(json, ".id"));
        bytes32 salt = bytes20(vm.parseJsonAddress(json, ".governor")) ^ hash;
        assertEq(timelock.hashOperationBatch(targets, values, calls, 0, salt), vm.parseJsonBytes32(json, ".operation"));
    }
}
