// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditRules} from "src-contracts/credits/CreditRules.sol";
import {Earned} from "src-contracts/interfaces/IReceipts.sol";

/// @dev The rules from outside, deployed by artifact as every contract under test is: what a test takes into its own code no other build can replace.
contract RulesHarness {
    function feeValue(Earned memory e, uint256 feeBps, uint256 rate) external pure returns (uint256) {
        return CreditRules.feeValue(e, feeBps, rate);
    }

    function unitValue(uint256 units, uint256 perUnit, uint256 weight) external pure returns (uint256) {
        return CreditRules.unitValue(units, perUnit, weight);
    }

    function pressure(uint256 price, uint256 minPrice, uint256 maxPrice, uint256 target)
        external
        pure
        returns (uint256)
    {
        return CreditRules.pressure(price, minPrice, maxPrice, target);
    }

    function next(
        uint256 weight,
        uint256 fees,
        uint256 pressures,
        uint256 cap,
        uint256 target,
        uint256 least,
        uint256 most
    ) external pure returns (uint256) {
        return CreditRules.next(weight, fees, pressures, cap, target, least, most);
    }

    function rested(uint256 weight, uint256 epochs) external pure returns (uint256) {
        return CreditRules.rested(weight, epochs);
    }

    function clamp(uint256 value, uint256 least, uint256 most) external pure returns (uint256) {
        return CreditRules.clamp(value, least, most);
    }
}
