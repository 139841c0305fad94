// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Ranges} from "src-contracts/core/Ranges.sol";
import {StakesCore} from "src-contracts/core/StakesCore.sol";

/// @notice The storage and the internal rules that the Market and its extension share.
/// @dev LAYOUT: only this contract and its parents declare storage. `Market` and `MarketExtension` add none, so both see the same slots; a test
/// compares their layouts.
abstract contract MarketCore is Ranges, Ownable2Step, ReentrancyGuardTransient {
    address internal _guardian;
    uint40 internal _guardianUntil;

    constructor(address token, address owner_) StakesCore(token) Ownable(owner_) {}
}
