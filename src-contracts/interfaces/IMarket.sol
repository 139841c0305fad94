// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICourt} from "src-contracts/interfaces/ICourt.sol";
import {IExits, IJobViews, IJobs} from "src-contracts/interfaces/IJobs.sol";
import {ILedger} from "src-contracts/interfaces/ILedger.sol";
import {INodes} from "src-contracts/interfaces/INodes.sol";
import {IPanels} from "src-contracts/interfaces/IPanels.sol";
import {IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice What governance and the guardian may do.
interface IGoverned {
    /* GOVERNANCE: the owner is the timelock */

    /// @notice Adds a version of the parameters for jobs posted from now on.
    function addParams(Params calldata params) external returns (uint16 version);

    /// @notice Opens or closes a currency for deposits, and so for new money. What is inside can be spent and withdrawn for ever.
    function allowCurrency(address currency, bool allowed) external;

    /// @notice Opens or closes a runtime for new jobs.
    function allowRuntime(uint8 runtime, bool allowed) external;

    /// @notice Opens or closes jobs with several seats. Those that exist go on.
    function allowSeats(bool allowed) external;

    /// @notice Sets the least stake of a claiming node.
    function setMinStake(uint96 minStake) external;

    /// @notice Sets the unbonding time of exits queued from now on.
    function setUnbonding(uint32 unbonding) external;

    /// @notice Sets who receives fees.
    function setTreasury(address treasury) external;

    /// @notice Sets the contract that mints credits against receipts; zero: none.
    function setCredits(address credits) external;

    /// @notice Appoints the guardian for a term of at most a year.
    function setGuardian(address guardian, uint40 until) external;

    /// @notice Sets the contract that gives tiers to nodes which have proven them; zero: none.
    function setProver(address prover) external;

    /// @notice Records that a node has proven a capability tier, until `until`. The owner, or the prover.
    function setTier(uint32 node, uint8 tier, uint40 until) external;

    /* GUARDIAN */

    /// @notice Stops new posts and claims for `duration` seconds. Exits go on.
    function pause(uint32 duration) external;

    function treasury() external view returns (address);

    function credits() external view returns (address);

    function prover() external view returns (address);

    function guardian() external view returns (address guardian_, uint40 until);
}

/// @notice The compute market: every unit of money and every decision about money. One address answers all of it.
interface IMarket is ILedger, INodes, IJobs, IPanels, IExits, ICourt, IJobViews, IReceipts, IGoverned {}
