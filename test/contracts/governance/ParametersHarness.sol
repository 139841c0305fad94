// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Parameters} from "src-contracts/Parameters.sol";
import {CreditParameters} from "src-contracts/credits/CreditParameters.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @dev The numbers from outside, deployed by artifact as every contract under test is: what a test takes into its own code no other build can replace.
contract ParametersHarness {
    function initial() external pure returns (Params memory) {
        return Parameters.initial();
    }

    function ofStakes() external pure returns (uint256 minStake, uint256 unbonding) {
        return (Parameters.MIN_STAKE, Parameters.UNBONDING);
    }

    function epoch() external pure returns (uint256) {
        return CreditParameters.EPOCH;
    }

    function ofRecords() external pure returns (uint256 start, uint256 max, uint256 fullBond) {
        return (Parameters.RECORD_START, Parameters.RECORD_MAX, Parameters.RECORD_FULL_BOND);
    }

    function ofVotes() external pure returns (uint256 delay, uint256 period, uint256 extension, uint256 timelock) {
        return (
            Parameters.VOTING_DELAY,
            Parameters.VOTING_PERIOD,
            Parameters.LATE_QUORUM_EXTENSION,
            Parameters.TIMELOCK_DELAY
        );
    }
}
