// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";

import {Params} from "src-contracts/types/Params.sol";
import {ParametersHarness} from "test/contracts/governance/ParametersHarness.sol";

/// @dev What a network begins with, as docs/governance.md and docs/protocol.md say it.
contract StartValuesTest is Test {
    ParametersHarness private parameters;

    function setUp() external {
        parameters = ParametersHarness(vm.deployCode("ParametersHarness.sol:ParametersHarness"));
    }

    function test_Initial_OfJobs() external view {
        Params memory first = Params({
            feeBps: 300,
            bondTenths: 40,
            noShowBps: 2_000,
            burnBps: 5_000,
            retryBps: 4_000,
            auditRates: 0,
            revealWindow: 600,
            auditWindow: 1_800,
            openFor: 60,
            drawStep: 30,
            drawOpenAfter: 1_800
        });
        for (uint16 runtime = 1; runtime < 8; ++runtime) {
            first.auditRates |= uint16(2) << (2 * runtime); // the third of four rates: 2 %
        }
        assertEq(abi.encode(parameters.initial()), abi.encode(first));
    }

    function test_Initial_OfStakesAndRecords() external view {
        (uint256 minStake, uint256 unbonding) = parameters.ofStakes();
        assertEq(minStake, 1_000e18);
        assertEq(unbonding, 604_800);
        (uint256 start, uint256 max, uint256 fullBond) = parameters.ofRecords();
        assertEq(start, 5_000);
        assertEq(max, 10_000);
        assertEq(fullBond, 4e18);
        assertEq(parameters.epoch(), 86_400);
    }

    function test_Initial_OfVotes() external view {
        (uint256 delay, uint256 period, uint256 extension, uint256 timelock) = parameters.ofVotes();
        assertEq(delay, 86_400);
        assertEq(period, 432_000);
        assertEq(extension, 86_400);
        assertEq(timelock, 172_800);
    }
}
